"""The speech queue, its overflow rule and its pace."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_emulator.interpreting.playout import (
    SPEECH_RATE,
    Playout,
    PlayoutQueue,
    QueueSettings,
    SpeechClip,
)
from palabra_emulator.interpreting.speech import SpeechRequest, WantedSpeech

pytestmark = pytest.mark.unit


def clip(ms: int, name: str = "a", value: int = 1) -> SpeechClip:
    """Some speech."""
    pcm = np.full(ms * SPEECH_RATE // 1000, value, np.int16)
    request = SpeechRequest(name, "es", ms / 1000, session_hz=2000)
    return SpeechClip(name, WantedSpeech(request, pcm), pcm)


def names(clips: Sequence[SpeechClip]) -> list[str]:
    """Which clips these are."""
    return [it.transcription_id for it in clips]


def unhurried(desired_ms: int = 5000, max_ms: int = 20000) -> QueueSettings:
    """A queue whose speech is never spoken faster."""
    return QueueSettings(desired_ms, max_ms, auto_tempo=False)


def never(_speech: WantedSpeech) -> None:
    """Refuse to speak anything anew."""
    raise AssertionError("nothing is spoken at another tempo here")


def test_overflow_drops_the_oldest_down_to_the_desired_level() -> None:
    """Above the maximum the queue keeps its newest speech, as much as is desired."""
    queue = PlayoutQueue(unhurried(desired_ms=2000, max_ms=5000), never)
    assert queue.push(clip(3000, "old", 1)) == 0
    assert queue.push(clip(2000, "middle", 2)) == 0
    assert queue.push(clip(500, "new", 3)) == 3500

    block = queue.take(5000)
    assert queue.level_ms == 0
    assert block.pcm.size == 2000 * SPEECH_RATE // 1000
    assert names(block.finished) == ["middle", "new"]
    assert set(block.pcm.tolist()) == {2, 3}


def test_take_reaches_across_clips() -> None:
    """A block may end one translation and begin the next."""
    queue = PlayoutQueue(unhurried(), never)
    queue.push(clip(50, "one", 1))
    queue.push(clip(80, "two", 2))

    assert names(queue.take(100).finished) == ["one"]
    assert names(queue.take(100).finished) == ["two"]
    assert queue.take(100).pcm.size == 0


@given(
    lengths=st.lists(st.integers(0, 3000), max_size=20),
    takes=st.lists(st.integers(1, 2000), max_size=20),
)
def test_nothing_appears_or_vanishes(lengths: list[int], takes: list[int]) -> None:
    """What goes in is taken, dropped or still waiting; never more than the maximum waits."""
    queue = PlayoutQueue(unhurried(desired_ms=1000, max_ms=4000), never)
    pushed = dropped = taken = 0.0
    for place in range(max(len(lengths), len(takes))):
        if place < len(lengths):
            pushed += lengths[place]
            dropped += queue.push(clip(lengths[place]))
        if place < len(takes):
            taken += queue.take(takes[place]).pcm.size * 1000 / SPEECH_RATE

        assert queue.level_ms <= 4000
    assert pushed == pytest.approx(dropped + taken + queue.level_ms)


def test_playout_keeps_pace_with_time() -> None:
    """About half a second is handed out ahead, then as much as time passes; then all is heard."""
    playout = Playout(unhurried(), never)
    playout.queue.push(clip(1000))
    handed_out: list[int] = []
    for now in (10.0, 10.1, 10.2, 10.6):
        blocks = 0
        while playout.next_block(now) is not None:
            blocks += 1
        handed_out.append(blocks)

    assert handed_out == [5, 1, 1, 3]
    assert playout.level_ms(10.6) == 400
    assert not playout.is_idle(10.99)
    assert playout.is_idle(11.001)


def test_interruption_empties_and_hushes_once() -> None:
    """An interruption drops the queue and has what was handed out withdrawn."""
    playout = Playout(unhurried(), never)
    playout.queue.push(clip(3000))
    playout.next_block(10.0)
    playout.interrupt(10.05)

    assert playout.is_idle(10.05)
    assert playout.next_block(10.05) is None
    assert [playout.take_hush(), playout.take_hush()] == [True, False]


@pytest.mark.parametrize(
    ("level_ms", "tempo"),
    [(0, 1.0), (5000, 1.0), (5500, 1.1), (6500, 1.3), (90_000, 1.3)],
)
def test_the_more_is_waiting_the_faster_it_is_spoken(level_ms: int, tempo: float) -> None:
    """So many times as fast as the level is the desired one, from the slowest to the fastest."""
    settings = QueueSettings(5000, 20_000, min_tempo=1.0, max_tempo=1.3)

    assert settings.tempo(level_ms) == tempo
    assert unhurried().tempo(level_ms) == 1.0


@pytest.mark.parametrize("load", [1.1, 1.25])
def test_the_queue_stays_near_the_desired_level(load: float) -> None:
    """After one minute and after ten, while the fastest tempo is fast enough for the speaker."""
    asked: list[WantedSpeech] = []
    playout = Playout(QueueSettings(6_000, 20_000, min_tempo=1.0, max_tempo=1.3), asked.append)
    levels: list[int] = []
    for second in range(600):
        assert playout.queue.push(clip(round(1000 * load), str(second))) == 0
        for now in np.arange(second, second + 1, 0.1).tolist():
            while playout.next_block(now) is not None or asked:
                for wanted in asked:
                    wanted.pcm = clip(round(1000 * load / wanted.request.tempo)).pcm
                asked.clear()
        levels.append(playout.level_ms(second + 0.9))

    assert levels[90] == pytest.approx(6_000, abs=1_000)
    assert levels[-1] == pytest.approx(levels[90], abs=500)


def test_the_tempo_is_chosen_when_a_sentence_begins() -> None:
    """What is waiting by then counts; the sentence is spoken anew, and none is heard meanwhile."""
    asked: list[WantedSpeech] = []
    settings = QueueSettings(1000, 4000, min_tempo=1.0, max_tempo=2.0)
    playout = Playout(settings, asked.append)
    for name in ("one", "two", "three", "four"):
        playout.queue.push(clip(1000, name))

    assert playout.next_block(10.0) is None
    assert [it.request.tempo for it in asked] == [2.0]
    assert playout.next_block(10.05) is None
    asked[0].pcm = clip(500, value=7).pcm

    block = playout.next_block(10.1)
    assert block is not None
    assert names(block.begun) == ["one"]
    assert set(block.pcm.tolist()) == {7}
    assert playout.level_ms(10.1) == 3500
    rest = playout.queue.take(5000)  # three seconds are left when the second one begins
    assert names(rest.finished) == ["one"]
    assert [it.request.tempo for it in asked] == [2.0, 2.0]


def test_the_last_sentence_is_not_hurried() -> None:
    """It was queued behind others, but nothing waits any more when it begins."""
    queue = PlayoutQueue(QueueSettings(1000, 4000, min_tempo=1.0, max_tempo=2.0), never)
    first = clip(2000, "first")
    first.tempo = 1.0
    queue.push(first)
    queue.push(clip(1000, "last"))

    assert names(queue.take(5000).finished) == ["first", "last"]


def test_what_was_dropped_stays_dropped_at_another_tempo() -> None:
    """The rest of a sentence that was cut by an overflow begins where it was cut."""
    asked: list[WantedSpeech] = []
    queue = PlayoutQueue(QueueSettings(1000, 1500, min_tempo=2.0, max_tempo=2.0), asked.append)
    assert queue.push(clip(4000)) == 3000
    assert queue.take(100).pcm.size == 0
    asked[0].pcm = clip(2000, value=7).pcm

    assert queue.take(5000).pcm.size == 500 * SPEECH_RATE // 1000
    assert queue.level_ms == 0
