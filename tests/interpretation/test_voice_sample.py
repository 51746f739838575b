"""A few seconds of one speaker's speech."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE
from palabra_agent.interpretation.voice_sample import VoiceSample
from tests.fakes import frame

pytestmark = pytest.mark.unit

FRAMES_A_SECOND = SAMPLE_RATE // FRAME_SAMPLES


def speak(sample: VoiceSample, seconds: float, level: int = 8000) -> None:
    """Have it hear speech; level 0 is a pause."""
    for _ in range(round(seconds * FRAMES_A_SECOND)):
        sample.hear(frame(level))


def test_two_seconds_of_speech_are_enough() -> None:
    """It is enough when two seconds were spoken, however long that took."""
    sample = VoiceSample()
    speak(sample, 1.0)
    speak(sample, 30.0, level=0)
    speak(sample, 0.98)
    assert not sample.is_enough

    speak(sample, 0.02)
    assert sample.is_enough


def test_each_further_second_is_enough() -> None:
    """Once taken, it is worth another try after one more second of speech."""
    sample = VoiceSample()
    speak(sample, 2.5)
    sample.take()
    speak(sample, 0.98)
    assert not sample.is_enough

    speak(sample, 0.02)
    assert sample.is_enough


def test_pauses_are_left_out() -> None:
    """What is taken holds speech alone, in the order in which it was spoken."""
    sample = VoiceSample()
    for level in 6000, 7000, 8000:
        speak(sample, 0.5, level)
        speak(sample, 1.0, level=100)

    taken = sample.take()
    assert taken.dtype == np.int16
    assert sorted(set(taken.tolist())) == [6000, 7000, 8000]
    assert len(taken) == 1.5 * SAMPLE_RATE
    assert (np.diff(taken) >= 0).all()


def test_the_last_five_seconds_are_kept() -> None:
    """Of somebody who speaks for long, the last five seconds are there and nothing else."""
    sample = VoiceSample()
    speak(sample, 60.0, 6000)
    speak(sample, 5.0, 8000)
    taken = sample.take()
    assert len(taken) == 5 * SAMPLE_RATE
    assert (taken == 8000).all()


def test_what_is_taken_cannot_be_changed() -> None:
    """A plugin cannot write into what others hear after it."""
    sample = VoiceSample()
    speak(sample, 2.0)
    taken = sample.take()
    with pytest.raises(ValueError, match="read-only"):
        taken[0] = 1


def test_nothing_heard_is_an_empty_sample() -> None:
    """Before a word was spoken there is nothing to take."""
    assert len(VoiceSample().take()) == 0


@given(st.lists(st.integers(min_value=0, max_value=8 * SAMPLE_RATE), max_size=20))
def test_memory_is_bounded(sizes: list[int]) -> None:
    """Whatever the length of the frames, never more than five seconds are kept."""
    sample = VoiceSample()
    for size in sizes:
        sample.hear(frame(8000, size))
        assert len(sample.take()) <= 5 * SAMPLE_RATE
