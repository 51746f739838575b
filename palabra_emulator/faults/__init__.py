"""Fault injection: what can go wrong at Palabra, armed by request, triggered where it shows.

`catalogue` lists all faults, `reading` reads requests for them, and `injection` keeps what is armed
and answers one question: is a fault triggered here? It is asked by `rest_faults`, by
`command_faults`, by `message_faults` and by `connection_faults`, each of them where its
faults show; `immediate_faults` does what needs no occasion.
"""
