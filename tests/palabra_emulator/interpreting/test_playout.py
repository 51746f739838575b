"""The speech queue, its overflow rule and its pace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_emulator.interpreting.playout import (
    SPEECH_RATE,
    Playout,
    PlayoutLevels,
    PlayoutQueue,
    SpeechClip,
)

pytestmark = pytest.mark.unit


def clip(ms: int, name: str = "a", value: int = 1) -> SpeechClip:
    """Some speech."""
    return SpeechClip(name, np.full(ms * SPEECH_RATE // 1000, value, np.int16))


def test_overflow_drops_the_oldest_down_to_the_desired_level() -> None:
    """Above the maximum the queue keeps its newest speech, as much as is desired."""
    queue = PlayoutQueue(PlayoutLevels(desired_ms=2000, max_ms=5000))
    assert queue.push(clip(3000, "old", 1)) == 0
    assert queue.push(clip(2000, "middle", 2)) == 0
    assert queue.push(clip(500, "new", 3)) == 3500

    block = queue.take(5000)
    assert queue.level_ms == 0
    assert block.pcm.size == 2000 * SPEECH_RATE // 1000
    assert block.finished == ("middle", "new")
    assert set(block.pcm.tolist()) == {2, 3}


def test_take_reaches_across_clips() -> None:
    """A block may end one translation and begin the next."""
    queue = PlayoutQueue(PlayoutLevels())
    queue.push(clip(50, "one", 1))
    queue.push(clip(80, "two", 2))

    assert queue.take(100).finished == ("one",)
    assert queue.take(100).finished == ("two",)
    assert queue.take(100).pcm.size == 0


@given(
    lengths=st.lists(st.integers(0, 3000), max_size=20),
    takes=st.lists(st.integers(1, 2000), max_size=20),
)
def test_nothing_appears_or_vanishes(lengths: list[int], takes: list[int]) -> None:
    """What goes in is taken, dropped or still waiting; never more than the maximum waits."""
    queue = PlayoutQueue(PlayoutLevels(desired_ms=1000, max_ms=4000))
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
    playout = Playout(PlayoutLevels())
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
    playout = Playout(PlayoutLevels())
    playout.queue.push(clip(3000))
    playout.next_block(10.0)
    playout.interrupt(10.05)

    assert playout.is_idle(10.05)
    assert playout.next_block(10.05) is None
    assert [playout.take_hush(), playout.take_hush()] == [True, False]
