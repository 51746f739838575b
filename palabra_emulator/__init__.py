"""A faithful local Palabra: REST sessions, LiveKit rooms with the bot, its commands and messages.

It shares no protocol code with the client, so that a mistake in one is not mirrored in the other.
From the outside in: `server` puts it together; `rest`, `proxy` and `inspection` are its HTTP
surface, `stream` the WebSocket; `registry` keeps the sessions and `life` runs one; `session` and
`pipeline` decide, without any I/O, what a session does; behind `ports`, `bot` and `rooms` are the
LiveKit side and `stream_socket` the other; `stream_input` hears sound that comes in messages.
"""
