"""Where nobody speaks: told from the sound alone, in a quiet room and in a noisy one. Pure."""

from __future__ import annotations

from typing import Final

from palabra_agent.audio.pcm import PAUSE_PEAK, Pcm, duration_ms, peak

_OVER_NOISE: Final = 2.0
"""Speech that is less than 6 dB above the noise nobody understands."""

_LOUDEST_NOISE: Final = 820.0
"""Noise counts as such up to -32 dBFS; what is always louder is a sound of its own, like music."""

_RISE_PER_MS: Final = 0.00025
"""The floor doubles in some three seconds in which nothing is as quiet; every pause lowers it."""


class PauseDetector:
    """Follows the noise of one microphone, and tells pauses by it."""

    def __init__(self) -> None:
        self._floor = 0.0

    def is_pause(self, frame: Pcm) -> bool:
        """Whether a frame, the next of its sound, holds no speech."""
        loudest = peak(frame)
        risen = self._floor * (1 + _RISE_PER_MS * duration_ms(frame)) + 1
        self._floor = min(loudest, risen, _LOUDEST_NOISE)
        return loudest < max(PAUSE_PEAK, _OVER_NOISE * self._floor)
