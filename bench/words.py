"""Words that are like no others, and how much of one was heard. Pure.

A word is a tone that wanders: what its frequency does in any ten milliseconds is found nowhere
else in it. So each of its pieces can be looked for by itself in what was heard, although codecs and
jitter buffers shift and bend the whole.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from palabra_agent.audio.pcm import Pcm

WORD_SECONDS: Final = 0.8
HEARD_RATE: Final = 16_000
_LOWEST_HZ: Final = 400.0
_HIGHEST_HZ: Final = 3_000.0
_KNOT_SECONDS: Final = 0.05
_FADE_SECONDS: Final = 0.005
_AMPLITUDE: Final = 0.5 * 32767

_PIECE: Final = HEARD_RATE // 100
_REACH: Final = HEARD_RATE // 40
"""How far a piece may be shifted against its neighbour."""
_ALIKE: Final = 0.6

_Signal = npt.NDArray[np.float64]


def word(number: int, rate: int) -> Pcm:
    """Make the word of a number; each is another one."""
    knots = round(WORD_SECONDS / _KNOT_SECONDS) + 1
    wanted = np.random.default_rng(number).uniform(_LOWEST_HZ, _HIGHEST_HZ, knots)
    at = np.arange(round(WORD_SECONDS * rate)) / rate
    hz = np.interp(at, np.arange(knots) * _KNOT_SECONDS, wanted)
    fade = np.clip(np.minimum(at, WORD_SECONDS - at) / _FADE_SECONDS, 0.0, 1.0)
    return (_AMPLITUDE * fade * np.sin(2 * np.pi * np.cumsum(hz) / rate)).astype(np.int16)


def lost_samples(number: int, heard: Pcm) -> int:
    """How many samples of a word are missing from what was heard, by pieces of 10 ms."""
    said = word(number, HEARD_RATE).astype(np.float64)
    margin = np.zeros(said.size + _REACH)
    sound = np.concatenate((margin, heard.astype(np.float64), margin))
    pieces = said.reshape(-1, _PIECE)
    lag = _best_lag(said, sound)
    middle = max(
        range(len(pieces)), key=lambda it: _alike(pieces[it], sound, lag + it * _PIECE, 0)[0]
    )
    forwards = _found(pieces, sound, lag, range(middle, len(pieces)))
    backwards = _found(pieces, sound, lag, range(middle - 1, -1, -1))
    return said.size - _PIECE * (forwards + backwards)


def _best_lag(said: _Signal, sound: _Signal) -> int:
    size = said.size + sound.size
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(said, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: sound.size - said.size]))


def _found(pieces: _Signal, sound: _Signal, lag: int, order: range) -> int:
    """Count the pieces that are there, each near to where the one before was."""
    found = 0
    for place in order:
        likeness, shift = _alike(pieces[place], sound, lag + place * _PIECE, _REACH)
        if likeness >= _ALIKE:
            found += 1
            lag += shift

    return found


def _alike(piece: _Signal, sound: _Signal, at: int, reach: int) -> tuple[float, int]:
    """How much a piece is like its best match around a place, and how far that is from there."""
    first = max(at - reach, 0)
    around = sound[first : at + reach + piece.size]
    if around.size < piece.size:
        return 0.0, 0

    power = np.convolve(around**2, np.ones(piece.size), "valid")
    scale = np.sqrt(np.maximum(power, 1.0) * max(float(piece @ piece), 1.0))
    likeness = np.correlate(around, piece, "valid") / scale
    best = int(np.argmax(likeness))
    return float(likeness[best]), first + best - at
