"""The ways to a client: a LiveKit room with a bot in it, or a WebSocket."""
