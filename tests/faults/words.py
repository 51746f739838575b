"""Words that were never said before, and whether the emulator has heard them, sample by sample."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, SAMPLE_RATE, Pcm, peak
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.transports.audio_formats import InputResampler
from tests.palabra_emulator.watching import heard_by

from .faulty_room import FaultyRoom

_PHASES: Final = SAMPLE_RATE // HEARING_RATE
_EDGE: Final = HEARING_RATE // 100
"""What a resampler smears at either end: 10 ms are more than enough."""

_SLICE: Final = HEARING_RATE // 10
_SMOOTHING: Final = HEARING_RATE // 1000

Recording: TypeAlias = npt.NDArray[np.float64]


def new_word(seed: int) -> Pcm:
    """Something that was never said before: out of the noise of a room, as softly as speech."""
    chance = np.random.default_rng(seed)
    size, around = round(0.8 * SAMPLE_RATE), round(0.1 * SAMPLE_RATE)
    loud = chance.normal(0, 3_000, size) * np.sin(np.linspace(0, np.pi, size)) ** 2
    sound = chance.normal(0, 20, size + 2 * around)
    sound[around:-around] += loud
    return np.clip(sound, -32_768, 32_767).astype(np.int16)


async def heard(room: FaultyRoom, session: int = -1) -> Pcm:
    """All that the emulator took in, as it keeps it, in the newest session or in another."""
    session_id = room.events("created")[session].session
    assert session_id is not None
    return await heard_by(room.emulator.url, session_id)


def times_held(recording: Pcm, sound: Pcm) -> int:
    """How often a word is in a recording, sample by sample, with the noise that came before it.

    Its place there is not known. From the noise after it some may be left out, which wins the
    delay back.
    """
    frames = range(0, sound.size, FRAME_SAMPLES)
    last = max(at for at in frames if peak(sound[at : at + FRAME_SAMPLES]) >= PAUSE_PEAK)
    word = sound[: last + FRAME_SAMPLES]
    times = 0
    for phase in range(_PHASES):
        shifted = np.pad(word, (phase, SAMPLE_RATE))
        size = word.size // _PHASES - 2 * _EDGE
        expected = InputResampler(SAMPLE_RATE).take(shifted)[_EDGE : _EDGE + size]
        beginning = np.lib.stride_tricks.sliding_window_view(recording, _EDGE)
        places = np.flatnonzero((beginning == expected[:_EDGE]).all(axis=1))
        times += sum(np.array_equal(recording[at : at + size], expected) for at in places)

    return times


def resembles(recording: Pcm, sound: Pcm) -> float:
    """How well a recording holds a word after it went through codecs: 1 is just as it was said.

    Each tenth of a second of the word is looked for where it ought to be, give or take what a
    jitter buffer stretches; the one that is found worst counts.
    """
    word = np.pad(sound, (0, SAMPLE_RATE))
    expected = _without_heights(InputResampler(SAMPLE_RATE).take(word)[: sound.size // _PHASES])
    taken = np.pad(_without_heights(recording), _SLICE)
    start = int(np.argmax(_likeness(taken, expected)))
    worst = 1.0
    for at in range(0, expected.size - _SLICE, _SLICE):
        part = expected[at : at + _SLICE]
        around = taken[max(start + at - _SLICE, 0) : start + at + 2 * _SLICE]
        if peak(sound[at * _PHASES : (at + _SLICE) * _PHASES]) >= PAUSE_PEAK:
            worst = min(worst, float(_likeness(around, part).max()))

    return worst


def _without_heights(sound: Pcm) -> Recording:
    """A sound below some 1 kHz: what is above it, a codec is free to make up."""
    return np.convolve(sound, np.hanning(_SMOOTHING), "same")


def _likeness(recording: Recording, sound: Recording) -> Recording:
    """The correlation of a sound with each place of a recording."""
    if recording.size < sound.size:
        return np.zeros(1)

    size = recording.size + sound.size
    spectrum = np.fft.rfft(recording, size) * np.conj(np.fft.rfft(sound, size))
    product = np.fft.irfft(spectrum, size)[: recording.size - sound.size + 1]
    energy = np.convolve(recording**2, np.ones(sound.size), "valid")
    likeness: Recording = product / np.sqrt(np.maximum(energy * (sound**2).sum(), 1.0))
    return likeness
