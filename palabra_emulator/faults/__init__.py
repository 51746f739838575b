"""Fault injection: what can go wrong at Palabra, armed by request, struck where it shows.

`catalogue` knows all faults; `orders` reads what somebody wishes for; `injection` keeps what is
armed and answers one question, whether a fault strikes here. It is asked by `requests` for the
REST API, by `answers` for commands, by `texts` for what is said, and by `transport`, which stands
around the real way to a client; `striking` does what needs no occasion; `desk` is the HTTP side.
"""
