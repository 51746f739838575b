"""Frames know their level, and pauses are told from speech in a quiet room and in a noisy one."""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
import pytest

from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import SILENCE_PEAK
from palabra_agent.audio.tones import tone
from tests.fakes import flat

pytestmark = pytest.mark.unit


def pauses(*levels: int) -> list[bool]:
    """Tell which frames of a sound are pauses, by their levels."""
    reader = FrameReader()
    return [reader.read(flat(level)).is_pause for level in levels]


@pytest.mark.parametrize(
    ("level", "is_silent"),
    [
        (0, True),
        (SILENCE_PEAK - 1, True),
        (-SILENCE_PEAK + 1, True),
        (SILENCE_PEAK, False),
        (-SILENCE_PEAK, False),
        (-32768, False),
    ],
)
def test_a_frame_too_quiet_to_be_heard(level: int, *, is_silent: bool) -> None:
    """One sample of either sign makes a frame audible, and its level goes with it."""
    samples = flat(0)
    samples[7] = level
    frame = FrameReader().read(samples)

    assert (frame.peak, frame.is_silent, frame.duration_ms) == (abs(level), is_silent, 20)


def test_a_sound_is_cut_into_frames() -> None:
    """All of it, in order, the last one as short as it comes."""
    sound = tone(440, 0.05)
    frames = list(FrameReader().cut(sound))

    assert [it.duration_ms for it in frames] == [20, 20, 10]
    assert np.array_equal(np.concatenate([it.samples for it in frames]), sound)


def test_a_quiet_room() -> None:
    """Below -40 dBFS there is no speech, above it there is."""
    assert pauses(0, 300, 1000, 9000, 300, 0) == [True, True, False, False, True, True]


def test_a_hum_becomes_a_pause() -> None:
    """What is always there is no speech; a speaker is heard over it at once."""
    told = pauses(*[580] * 1000, 3000, 3000, 580)

    assert not told[0]
    assert all(told[500:1000])
    assert told[1000:] == [False, False, True]


def test_pauses_in_a_noisy_room() -> None:
    """The noise between the words is a pause, the words are none."""
    talk = [*[4000] * 100, *[500] * 30]
    told = pauses(*islice(cycle(talk), 1300))[650:]

    assert told == [level == 500 for level in islice(cycle(talk), 650)]


def test_a_tone_is_no_pause() -> None:
    """However long it sounds: what is louder than noise can be is a sound of its own."""
    assert not any(pauses(*[4000] * 6000))
