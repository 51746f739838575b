"""Pure tones, and how loud one is within a sound: how tests and demos prove who reached whom."""

from __future__ import annotations

from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_FULL_SCALE: Final = 32767
_FLOOR_DB: Final = -120.0
_FADE_SECONDS: Final = 0.005
"""Soft edges: a tone that starts at once is a click, and a click holds every frequency."""


def tone(hz: float, seconds: float, *, amplitude: float = 0.3, rate: int = SAMPLE_RATE) -> Pcm:
    """Make a sine of `hz`, `amplitude` being the share of full scale (0 to 1)."""
    at = np.arange(round(seconds * rate)) / rate
    fade = np.clip(np.minimum(at, seconds - at) / _FADE_SECONDS, 0.0, 1.0)
    return (amplitude * _FULL_SCALE * fade * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def tone_level_db(pcm: Pcm, hz: float, *, rate: int = SAMPLE_RATE) -> float:
    """Measure the sine at `hz` within a sound, in dB below full scale (0 is the loudest).

    A Hann window keeps neighbours out: tones 4 / duration apart do not disturb each other.
    """
    if pcm.size == 0:
        return _FLOOR_DB

    window = np.hanning(pcm.size)
    carrier = np.exp(-2j * np.pi * hz * np.arange(pcm.size) / rate)
    amplitude = 2 * abs(np.dot(pcm * window, carrier)) / window.sum() / _FULL_SCALE
    return max(float(20 * np.log10(amplitude + 1e-12)), _FLOOR_DB)


def mix(*sounds: Pcm) -> Pcm:
    """Add sounds sample by sample, the shorter ones padded with silence, clipped to 16 bits."""
    total = np.zeros(max((sound.size for sound in sounds), default=0), dtype=np.int32)
    for sound in sounds:
        total[: sound.size] += sound

    return np.clip(total, -_FULL_SCALE - 1, _FULL_SCALE).astype(np.int16)
