"""The meeting's LiveKit room behind the interpretation's ports."""
