"""Raises on import, and says too much."""

raise RuntimeError("alice@example.org may not know this\nnor that")
