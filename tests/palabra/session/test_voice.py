"""The voice on its way: held while nobody hears, and nothing of a word lost."""

from __future__ import annotations

import pytest

from palabra_agent.audio.frame import Frame
from palabra_agent.palabra.session.voice import Voice
from tests.fakes import frame, level_of

pytestmark = pytest.mark.unit


def taken(voice: Voice) -> list[int]:
    """Take everything that waits, as the level of each frame."""
    levels: list[int] = []
    while (it := voice.backlog.take()) is not None:
        levels.append(level_of(it))

    return levels


def hold(voice: Voice, *frames: Frame) -> None:
    """Hold frames."""
    for it in frames:
        voice.hold(it)


def test_what_came_before_the_first_word_is_sent_before_it() -> None:
    """A quarter of a second of it, quiet frames too, in order."""
    voice = Voice()
    for level in range(40):
        voice.remember(frame(level))
    hold(voice, frame(1000), frame(0), frame(1001))

    assert not voice.has_memories
    assert taken(voice) == [*range(28, 40), 1000, 0, 1001]


def test_fifteen_seconds_wait_while_palabra_wakes_up() -> None:
    """Beyond that the oldest go, counted."""
    voice = Voice()
    hold(voice, *(frame(1000 + number) for number in range(850)))

    assert voice.backlog.statistics().dropped_ms == 2000
    assert taken(voice) == [1000 + number for number in range(100, 850)]


def test_a_long_pause_is_not_held_whole() -> None:
    """So much of it as confirms a sentence; the rest of it would only be delay."""
    voice = Voice()
    hold(voice, *[frame(1000)] * 10, *[frame(0)] * 100, *[frame(1001)] * 10)

    assert taken(voice) == [1000] * 10 + [0] * 40 + [1001] * 10


def test_the_delay_is_won_back_in_pauses() -> None:
    """What was held is played as it is; of what comes then, pauses are left out."""
    voice = Voice()
    for _ in range(100):
        hold(voice, frame(1000))
    for level in (1001, 0, 1002):
        voice.pass_on(frame(level))

    assert taken(voice) == [1000] * 100 + [1001, 1002]
    assert voice.backlog.statistics().dropped_ms == 0


def test_afterwards_it_is_short_again() -> None:
    """A stall long after a pause costs what it always costs."""
    voice = Voice()
    for _ in range(100):
        hold(voice, frame(1000))
    played = taken(voice)
    for _ in range(101):
        voice.pass_on(frame(1001))
        assert taken(voice) == [1001]
    for number in range(20):
        voice.pass_on(frame(2000 + number))

    assert played == [1000] * 100
    assert taken(voice) == [2017, 2018, 2019]


def test_a_reader_in_step_loses_nothing() -> None:
    """While it plays what was held, new frames come as fast as old ones go."""
    voice, heard = Voice(), list[Frame]()
    for number in range(100):
        hold(voice, frame(4000 + number))
    for number in range(100, 300):
        voice.pass_on(frame(4000 + number))
        it = voice.backlog.take()
        assert it is not None
        heard.append(it)
    while (it := voice.backlog.take()) is not None:
        heard.append(it)

    assert [level_of(it) for it in heard] == [4000 + number for number in range(300)]


def test_a_reader_who_takes_much_at_once_loses_nothing() -> None:
    """Chunks of a third of a second leave a quarter faster than they are spoken."""
    voice, heard = Voice(), list[int]()
    for number in range(100):
        hold(voice, frame(4000 + number))
    for number in range(100, 1000):
        voice.pass_on(frame(4000 + number))
        if number % 13 == 0:
            burst = (voice.backlog.take() for _ in range(16))
            heard += [level_of(it) for it in burst if it is not None]
            if not voice.backlog.statistics().held_ms:
                break

    assert heard == [4000 + number for number in range(len(heard))]
    assert 400 < len(heard) < 1000
