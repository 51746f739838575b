"""Utterances found in synthetic sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone
from palabra_emulator.interpreting.utterances import (
    UtteranceBegan,
    UtteranceDetector,
    UtteranceEnded,
    UtteranceEvent,
    UtteranceGrew,
)

pytestmark = pytest.mark.unit

RATE = 16_000


def silence(seconds: float) -> Pcm:
    """No sound."""
    return np.zeros(round(seconds * RATE), np.int16)


def noise(seconds: float, db: float) -> Pcm:
    """White noise of some level."""
    samples = np.random.default_rng(1).normal(0, 32768 * 10 ** (db / 20), round(seconds * RATE))
    return samples.astype(np.int16)


def speech(seconds: float) -> Pcm:
    """Something loud."""
    return tone(300, seconds, rate=RATE)


def kinds(events: list[UtteranceEvent]) -> list[str]:
    """Names of events."""
    return [type(event).__name__ for event in events]


def test_utterance_is_sound_followed_by_silence() -> None:
    """Beginning and end are found within 20 ms; growth is told four times a second."""
    sound = np.concatenate((silence(0.5), speech(2.0), silence(1.0)))
    events = UtteranceDetector(RATE, 0.7).feed(sound)

    began, *grew, ended = events
    assert isinstance(began, UtteranceBegan)
    assert isinstance(ended, UtteranceEnded)
    assert began.start == pytest.approx(0.5, abs=0.02)
    assert ended.end == pytest.approx(2.5, abs=0.02)
    assert kinds(list(grew)) == ["UtteranceGrew"] * len(grew)
    assert 7 <= len(grew) <= 8


def test_pause_shorter_than_the_threshold_does_not_end() -> None:
    """Breathing is no end; the longer threshold counts as soon as it is set."""
    hearing = UtteranceDetector(RATE, 0.3)
    hearing.silence_seconds = 0.7
    sound = np.concatenate((speech(0.5), silence(0.5), speech(0.5), silence(0.8)))
    events = hearing.feed(sound)

    ends = [event.end for event in events if isinstance(event, UtteranceEnded)]
    assert ends == [pytest.approx(1.5, abs=0.02)]


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(noise(3, -60), id="noise of a codec or a room"),
        pytest.param(np.concatenate((speech(0.03), silence(1))), id="a click"),
    ],
)
def test_what_is_no_speech_is_not_heard(sound: Pcm) -> None:
    """Noise below the bar and sounds too short to be a syllable yield nothing."""
    assert UtteranceDetector(RATE).feed(sound) == []


def test_noise_does_not_prolong_an_utterance() -> None:
    """A quiet room's noise counts as silence."""
    sound = np.concatenate((speech(1), noise(1, -60)))
    events = UtteranceDetector(RATE, 0.7).feed(sound)

    assert isinstance(events[-1], UtteranceEnded)
    assert events[-1].end == pytest.approx(1.0, abs=0.03)


def test_finish_ends_what_is_under_way() -> None:
    """No more sound will come, so silence need not confirm; nothing is ended twice."""
    hearing = UtteranceDetector(RATE)
    hearing.feed(speech(1))

    assert kinds(hearing.finish()) == ["UtteranceEnded"]
    assert hearing.finish() == []


def test_reset_forgets_what_is_under_way() -> None:
    """After a reset the silence confirms nothing, and the next sound is a new utterance."""
    hearing = UtteranceDetector(RATE)
    hearing.feed(speech(1))
    hearing.reset()

    assert hearing.feed(silence(2)) == []
    assert kinds(hearing.feed(speech(0.2))) == ["UtteranceBegan"]


def test_endless_sound_is_cut() -> None:
    """Music is no single utterance for ever."""
    loud = np.full(RATE * 61, 5000, np.int16)
    ends = [
        event for event in UtteranceDetector(RATE).feed(loud) if isinstance(event, UtteranceEnded)
    ]

    assert ends == [UtteranceEnded(0.0, 60.0)]


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 4_000), min_size=1, max_size=20))
def test_frame_lengths_do_not_matter(cuts: list[int]) -> None:
    """The same sound yields the same events however it is cut into frames."""
    sound = np.concatenate((silence(0.2), speech(0.6), silence(0.4)))
    whole = UtteranceDetector(RATE, 0.3).feed(sound)

    hearing = UtteranceDetector(RATE, 0.3)
    pieces: list[UtteranceEvent] = []
    position = 0
    while position < sound.size:
        length = cuts[len(pieces) % len(cuts)]
        pieces += hearing.feed(sound[position : position + length])
        position += length

    assert pieces == whole
    assert any(isinstance(event, UtteranceGrew) for event in whole)
