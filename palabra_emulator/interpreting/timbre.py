"""A speaker's timbre, high or low, by the pitch of what they say. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.utterances import HEARING_RATE

_WINDOW: Final = HEARING_RATE // 10
_LOUD: Final = 32768 * 10 ** (-45 / 20)
_SHORTEST_PERIOD: Final = HEARING_RATE // 500
_LONGEST_PERIOD: Final = HEARING_RATE // 60
_VOICED: Final = 0.5
"""A window is voiced if it resembles itself so much one period later."""

_ALMOST: Final = 0.9
"""The shortest period that is almost as good as the best one is meant, not a multiple of it."""

_HIGH_FROM_HZ: Final = 165.0
_REMEMBERED: Final = 30


class TimbreDetector:
    """Follows the pitch of one speaker's voice."""

    def __init__(self) -> None:
        self._pitches: deque[float] = deque(maxlen=_REMEMBERED)
        self._rest: Pcm = np.zeros(0, dtype=np.int16)

    @property
    def is_high(self) -> bool | None:
        """True for a high timbre, false for a low one; None before any voice was heard."""
        return median(self._pitches) >= _HIGH_FROM_HZ if self._pitches else None

    def hear(self, pcm: Pcm) -> None:
        """Listen to some sound of any length, at `HEARING_RATE`."""
        sound = np.concatenate((self._rest, pcm))
        whole = sound.size // _WINDOW * _WINDOW
        self._rest = sound[whole:].copy()
        for window in sound[:whole].reshape(-1, _WINDOW):
            pitch_hz = _pitch_of(window)
            if pitch_hz is not None:
                self._pitches.append(pitch_hz)


def _pitch_of(window: Pcm) -> float | None:
    """The pitch of a voiced window: by how far it must be shifted to resemble itself."""
    samples = window - window.mean()
    if np.sqrt(np.mean(samples**2)) < _LOUD:
        return None

    spectrum = np.fft.rfft(samples, 2 * _WINDOW)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2)[:_WINDOW]
    likeness /= likeness[0] * np.linspace(1, 1 / _WINDOW, _WINDOW)  # ever less of it overlaps
    periods = np.arange(_SHORTEST_PERIOD, _LONGEST_PERIOD)
    here = likeness[periods]
    is_peak = (here >= likeness[periods - 1]) & (here >= likeness[periods + 1])
    best = here.max(initial=0.0, where=is_peak)
    if best < _VOICED:
        return None

    return float(HEARING_RATE / periods[is_peak & (here >= _ALMOST * best)][0])
