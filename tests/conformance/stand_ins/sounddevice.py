"""Stands where `sounddevice` stands: palabra-ai 0.6 imports it for microphones and loudspeakers.

The real one refuses to be imported where the PortAudio library is missing. The tests use files
only, so they need neither; whatever is asked of this module says so.
"""


def __getattr__(name: str) -> object:
    raise AttributeError(f"sounddevice.{name}: these tests have no sound devices")
