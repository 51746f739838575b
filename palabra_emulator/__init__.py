"""A faithful local Palabra: REST sessions, LiveKit rooms with the bot, its commands and messages.

It shares no protocol code with the client, so that a mistake in one is not mirrored in the other.
From the outside in: `server` puts it together; `api/` is its HTTP surface, `transports/` are the
ways to a client; `session/` decides, without any I/O, what a session answers and when it ends,
`interpreting/` what is heard, told and spoken; `faults/` lets all of it go wrong on request.
"""
