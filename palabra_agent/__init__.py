"""palabra-agent: the simultaneous interpreter that every LiveKit room can call."""

__version__ = "0.1.0"
