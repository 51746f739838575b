"""Raises what only a person at the keyboard should."""

raise KeyboardInterrupt
