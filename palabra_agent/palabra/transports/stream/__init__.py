"""The WebSocket transport: one connection that carries sound as messages."""
