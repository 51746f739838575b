"""Voices made of arithmetic: as many harmonics as a real one, and no words."""

from __future__ import annotations

from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_FULL_SCALE: Final = 32767
_LOUDNESS: Final = 0.3
_HIGHEST_HZ: Final = 5000.0
_FORMANTS: Final = ((500.0, 120.0, 1.0), (1500.0, 180.0, 0.5), (2500.0, 250.0, 0.25))
"""Frequency, width and weight of the resonances of a mouth that says `uh`."""
_VIBRATO_HZ: Final = 5.0
_VIBRATO: Final = 0.01
_SYLLABLES_PER_SECOND: Final = 4.0


def voice_sound(pitch_hz: float, seconds: float) -> Pcm:
    """Make a voice of a pitch: 48 kHz, mono, in syllables, without pauses."""
    if not 40.0 <= pitch_hz <= 1000.0:
        raise ValueError(f"pitch_hz must be between 40 and 1000, not {pitch_hz:g}")

    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    vibrato = _VIBRATO * pitch_hz / _VIBRATO_HZ * np.sin(2 * np.pi * _VIBRATO_HZ * at) / np.pi / 2
    cycles = pitch_hz * at + vibrato
    voice = np.zeros_like(at)
    for number in range(1, int(_HIGHEST_HZ / pitch_hz) + 1):
        # phases apart, or all of them would peak at once
        voice += _weight(number * pitch_hz) * np.sin(2 * np.pi * (number * cycles + number**2 / 7))

    voice *= 0.65 - 0.35 * np.cos(2 * np.pi * _SYLLABLES_PER_SECOND * at)
    loudest = np.abs(voice).max(initial=1e-9)
    sound: Pcm = (_LOUDNESS * _FULL_SCALE * voice / loudest).astype(np.int16)
    return sound


def _weight(hz: float) -> float:
    """How loud a harmonic is: the source falls with its frequency, the mouth resounds."""
    resonance = sum(
        weight / (1 + ((hz - centre) / width) ** 2) for centre, width, weight in _FORMANTS
    )
    return float((resonance + 0.05) * 100.0 / (hz + 100.0))
