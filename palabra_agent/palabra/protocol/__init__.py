"""The conversation about one task: from bytes to events, without I/O."""
