"""Changes the sample rate of a running sound, without a seam wherever it was cut into pieces.

What comes out depends on nothing but what was put in: the filter's weights are whole numbers, so
sums are exact in any order, and as many samples are out at any moment as that much sound lasts.
Nothing has to be flushed, and nothing drifts.
"""

from __future__ import annotations

from functools import cache
from math import gcd
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from palabra_agent.audio.pcm import Pcm

_Floats = npt.NDArray[np.float64]

_CROSSINGS: Final = 32
"""Zero crossings of the sinc on either side: more make the filter steeper, later and costlier."""

_BETA: Final = 7.0
"""Of the Kaiser window: what would alias is 70 dB down."""

_PASSED: Final = 0.93
"""Share of the lower Nyquist frequency in the middle of the filter's slope."""

_UNIT: Final = 1 << 15
"""Weights are whole multiples of one part in this."""

_PIECE_SAMPLES: Final = 1 << 14
"""Each sample takes half a kilobyte while it is worked on, so few of a long sound are at once."""


class Resampler:
    """One channel of sound on its way from one sample rate to another."""

    def __init__(self, source_rate: int, target_rate: int) -> None:
        """Begin in silence, which is what comes out for the first millisecond or two."""
        divisor = gcd(source_rate, target_rate)
        self._up, self._down = target_rate // divisor, source_rate // divisor
        self._bank = _filter_bank(self._up, self._down)
        self._taps = self._bank.shape[1]
        self._held: _Floats = np.zeros(self._taps - 1)
        self._at = 0
        """The place of the next sample within what is held, in parts of `1 / up` samples."""

    @property
    def delay_samples(self) -> int:
        """By how many samples of the source the sound comes out late."""
        return self._taps // 2 if self._up != self._down else 0

    def push(self, pcm: Pcm) -> Pcm:
        """Put the next piece in, of any length, and get what it adds."""
        if self._up == self._down:
            return pcm

        pieces = [
            self._push(pcm[at : at + _PIECE_SAMPLES]) for at in range(0, pcm.size, _PIECE_SAMPLES)
        ]
        return np.concatenate([np.empty(0, np.int16), *pieces])

    def _push(self, pcm: Pcm) -> Pcm:
        self._held = np.concatenate((self._held, pcm.astype(np.float64)))
        ready = self._held.size - self._taps + 1
        count = max(0, -((self._at - ready * self._up) // self._down))
        resampled = np.empty(count)
        for first in range(min(count, self._up)):
            # every `up` samples the same weights come round, `down` samples of the source later
            start, phase = divmod(self._at + first * self._down, self._up)
            rows = -((first - count) // self._up)
            windows = sliding_window_view(self._held, self._taps)[start :: self._down][:rows]
            resampled[first :: self._up] = np.ascontiguousarray(windows) @ self._bank[phase]

        self._at += count * self._down
        used = min(self._at // self._up, ready)
        self._at -= used * self._up
        self._held = self._held[used:]
        return np.clip(np.rint(resampled / _UNIT), -32768, 32767).astype(np.int16)


@cache
def _filter_bank(up: int, down: int) -> _Floats:
    """Make the weights for each of the `up` places between two samples where one may be wanted."""
    reach = -(-_CROSSINGS * max(up, down) // up)
    cutoff = _PASSED * min(1.0, up / down)
    offsets = np.arange(-reach + 1, reach + 1) - np.arange(up)[:, np.newaxis] / up
    window = np.i0(_BETA * np.sqrt(np.clip(1 - (offsets / reach) ** 2, 0, None)))
    weights = np.sinc(cutoff * offsets) * window
    return _whole(weights * (_UNIT / weights.sum(axis=1, keepdims=True)))


def _whole(weights: _Floats) -> _Floats:
    """Round weights so that each row keeps its sum: a constant stays what it is."""
    rounded = np.rint(weights)
    rounded[np.arange(len(rounded)), np.abs(rounded).argmax(axis=1)] += _UNIT - rounded.sum(axis=1)
    return rounded
