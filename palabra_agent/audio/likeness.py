"""The likeness of two sounds, one of which may be the other as a loudspeaker played it.

Each 20 ms of a sound are measured as levels in a few bands, each against all of them: that outlives
a loudspeaker, a room, a codec and another volume, and two people who speak at once do not share it.
Times are in seconds of any steady clock, the same for both sounds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Pcm

SLOTS_PER_SECOND: Final = 1000 // FRAME_MS
"""A sound's time is counted in slots of one frame each."""

LONGEST_DELAY: Final = round(1.5 * SLOTS_PER_SECOND)
"""In slots: the way to a listener, their jitter buffer, the room, and the way back."""

_COMPARED: Final = round(1.5 * SLOTS_PER_SECOND)
"""So much sound is compared, pauses left out."""
_ENOUGH: Final = round(0.8 * SLOTS_PER_SECOND)
"""Less says too little: by chance, half a second of speech is like another."""
_REMEMBERED: Final = 12 * SLOTS_PER_SECOND
"""What is compared is no older, so that many short sounds tell as much as a long one."""
_KEPT: Final = _REMEMBERED + LONGEST_DELAY
_UNMEASURED: Final = LONGEST_DELAY + SLOTS_PER_SECOND // 2
"""So much may wait to be measured; where no one compares, the rest need not be."""
_SLACK: Final = 3
"""A frame may come so many slots early or late: then it follows the one before it."""

_BANDS: Final = 16
_LOWEST_HZ: Final = 150.0
_HIGHEST_HZ: Final = 6500.0
_FLOOR: Final = 3000.0
"""Added to the power in a band: what is below it, such as a codec's noise, makes no shape."""
_LEAST_CHANGE: Final = 8.0
"""Of the shape from moment to moment, squared: speech has 20 and more, a steady tone next to 0."""

_Shapes = npt.NDArray[np.float32]


def _mel(hz: float) -> float:
    return float(2595 * np.log10(1 + hz / 700))


def _band_edges() -> npt.NDArray[np.intp]:
    """Where bands as wide as ears hear them begin in the spectrum of two frames."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 1)
    hz = 700 * (10 ** (mels / 2595) - 1)
    return np.round(hz * 2 * FRAME_SAMPLES / SAMPLE_RATE).astype(np.intp)


_EDGES: Final = _band_edges()
_WINDOW: Final = np.hanning(2 * FRAME_SAMPLES).astype(np.float32)
_NO_SOUND: Final = np.zeros(FRAME_SAMPLES, dtype=np.int16)
_DELAYS: Final = np.arange(LONGEST_DELAY + 1)


def band_shapes(windows: Pcm) -> _Shapes:
    """Measure windows of two frames each: the level in each band, against that of all."""
    spectra = np.fft.rfft(windows * _WINDOW, axis=1)
    power = (spectra.real**2 + spectra.imag**2) / windows.shape[1]
    in_bands = np.add.reduceat(power, _EDGES, axis=1)[:, :_BANDS] / np.diff(_EDGES)
    levels = np.log(in_bands + _FLOOR)
    return np.asarray(levels - levels.mean(axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a sound is like what another was a moment before."""

    degree: float
    """From 0 for nothing in common to 1 for the same sound."""
    delay: int
    """In slots: the one at which it is most alike."""


class SoundHistory:
    """The last seconds of a sound, measured when they are compared."""

    def __init__(self) -> None:
        self.newest = -1
        """The last slot that was heard."""
        self._waiting: deque[tuple[int, Pcm, Pcm]] = deque(maxlen=_UNMEASURED)
        """Not measured yet: the slot, and the frames before it and in it."""
        self._before = _NO_SOUND
        self._shapes = np.zeros((_KEPT, _BANDS), dtype=np.float32)
        """Of each slot, at its remainder by `_KEPT`, as in the two below."""
        self._is_sounding = np.zeros(_KEPT, dtype=np.bool_)
        self._is_measured = np.zeros(_KEPT, dtype=np.bool_)

    def hear(self, samples: Pcm, now: float, *, is_sounding: bool = True) -> int:
        """Take in a frame, and tell its slot; what is no sound need not be told."""
        samples = _one_frame(samples)
        due = round(now * SLOTS_PER_SECOND)
        follows = abs(due - self.newest - 1) <= _SLACK
        slot = self.newest + 1 if follows else due
        if not follows:
            self._forget_before(slot)
        self._is_sounding[slot % _KEPT] = is_sounding
        self._is_measured[slot % _KEPT] = False
        if is_sounding:
            self._waiting.append((slot, self._before if follows else _NO_SOUND, samples))

        self.newest, self._before = slot, samples
        return slot

    def sounded(self, first: int, last: int) -> bool:
        """Tell whether there was sound in any of these slots."""
        slots = np.arange(max(first, self.newest - _KEPT + 1), min(last, self.newest) + 1)
        return bool(self._is_sounding[slots % _KEPT].any())

    def likeness_to(self, other: SoundHistory) -> Likeness | None:
        """Compare the last of this sound with what the other was up to 1.5 s before.

        None where there is too little sound in either, or where it is as steady as a tone.
        """
        self._measure()
        other._measure()
        slots = self._last_measured()
        if slots.size < _ENOUGH:
            return None

        mine = self._shapes[slots % _KEPT]
        mine = mine - mine.mean(axis=0)
        around = np.arange(slots[0] - LONGEST_DELAY, slots[-1] + 1)
        theirs, is_there = other._centred(around)
        if float((mine * mine).sum()) < _LEAST_CHANGE * slots.size or not is_there.any():
            return None

        return _best(mine, theirs, is_there, slots - around[0])

    def _last_measured(self) -> npt.NDArray[np.intp]:
        slots = np.arange(self.newest - _REMEMBERED + 1, self.newest + 1)
        return slots[self._is_measured[slots % _KEPT]][-_COMPARED:]

    def _centred(self, slots: npt.NDArray[np.intp]) -> tuple[_Shapes, npt.NDArray[np.bool_]]:
        """The shapes of some slots, less their mean, 0 where there is none; and where one is."""
        is_kept = (slots > self.newest - _KEPT) & (slots <= self.newest)
        is_there = is_kept & self._is_measured[slots % _KEPT]
        shapes = np.where(is_there[:, None], self._shapes[slots % _KEPT], 0)
        mean = shapes.sum(axis=0) / max(int(is_there.sum()), 1)
        return np.where(is_there[:, None], shapes - mean, 0), is_there

    def _forget_before(self, slot: int) -> None:
        """Forget what stands where nothing was heard since the newest slot."""
        passed = np.arange(max(self.newest + 1, slot - _KEPT + 1), slot) % _KEPT
        self._is_sounding[passed] = self._is_measured[passed] = False

    def _measure(self) -> None:
        fresh = [it for it in self._waiting if it[0] > self.newest - _KEPT]
        self._waiting.clear()
        if not fresh:
            return

        slots = np.array([slot for slot, _, _ in fresh]) % _KEPT
        self._shapes[slots] = band_shapes(np.stack([np.concatenate(it[1:]) for it in fresh]))
        self._is_measured[slots] = True


def _best(
    mine: _Shapes, theirs: _Shapes, is_there: npt.NDArray[np.bool_], places: npt.NDArray[np.intp]
) -> Likeness | None:
    """The likeness at the delay at which it is greatest, of those at which both sound."""
    delayed = places[None, :] - _DELAYS[:, None]
    products = (mine @ theirs.T)[np.arange(places.size)[None, :], delayed].sum(axis=1)
    power = (theirs * theirs).sum(axis=1)[delayed].sum(axis=1)
    both = is_there[delayed].sum(axis=1)
    is_told = (both * 2 >= places.size) & (power >= _LEAST_CHANGE * both)
    if not is_told.any():
        return None

    degrees = np.where(is_told, products / np.sqrt((mine * mine).sum() * power + 1e-9), -1)
    delay = int(degrees.argmax())
    return Likeness(float(max(degrees[delay], 0)), delay)


def _one_frame(samples: Pcm) -> Pcm:
    if samples.size == FRAME_SAMPLES:
        return samples

    return np.concatenate((samples[:FRAME_SAMPLES], _NO_SOUND[samples.size :]))
