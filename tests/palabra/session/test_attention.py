"""When somebody is listened to: awake while it may matter, asleep when nobody would miss it."""

from __future__ import annotations

import math

import pytest

from palabra_agent.palabra.session.attention import Attention
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

LOUD, QUIET = 20.0, 0.0


def spoken(attention: Attention, now: float) -> bool:
    """Say a short word; returns whether it woke somebody."""
    return [attention.hear(LOUD, now) for _ in range(3)][-1]


def test_it_falls_asleep_after_a_silence() -> None:
    """Counted from the last word, or from its beginning."""
    attention = Attention(20, now=100)
    assert attention.bedtime() == 120
    spoken(attention, 110)

    assert attention.bedtime() == 130


def test_without_a_limit_it_never_sleeps() -> None:
    """Not even when muted."""
    attention = Attention(math.inf, now=0)
    attention.mute(is_muted=True)

    assert attention.bedtime() == math.inf


def test_one_who_sleeps_does_not_fall_asleep() -> None:
    """There is nothing to wait for."""
    attention = Attention(20, now=0)
    attention.sleep()

    assert attention.is_asleep
    assert attention.bedtime() == math.inf


def test_a_word_wakes_it_and_a_click_does_not() -> None:
    """Sixty milliseconds in a row are a word; the news of waking comes once."""
    attention = Attention(20, now=0)
    attention.sleep()
    heard = [attention.hear(it, 50) for it in (LOUD, LOUD, QUIET, LOUD, LOUD, LOUD, LOUD)]

    assert heard == [False, False, False, False, False, True, False]
    assert not attention.is_asleep
    assert attention.bedtime() == 70


def test_noise_below_speech_keeps_nobody_awake() -> None:
    """A room is never quite silent."""
    attention = Attention(20, now=0)
    for second in range(20):
        attention.hear(QUIET, second)

    assert attention.bedtime() == 20


def test_what_was_said_is_waited_for() -> None:
    """An open sentence keeps it awake, for ten seconds at most; then two quiet ones must pass."""
    attention = Attention(0, now=0)
    spoken(attention, 10)
    attention.read(transcript("hel", is_final=False), 11)
    assert attention.bedtime() == 20
    attention.read(transcript("hello"), 12)
    assert attention.bedtime() == 14
    attention.read(translated("hola", "es"), 13)
    assert attention.bedtime() == 15
    attention.listen(16)
    assert attention.bedtime() == 18


def test_a_muted_speaker_says_nothing_more() -> None:
    """So only what they said before is waited for; when they unmute, silence counts again."""
    attention = Attention(60, now=0)
    spoken(attention, 10)
    attention.mute(is_muted=True)
    assert attention.bedtime() == 12
    attention.mute(is_muted=False)
    assert attention.bedtime() == 70


def test_a_sentence_that_sleep_cut_off_is_forgotten() -> None:
    """It will not be confirmed any more, and must not count after waking."""
    attention = Attention(0, now=0)
    attention.read(transcript("hel", is_final=False), 1)
    attention.sleep()
    spoken(attention, 100)

    assert attention.bedtime() == 100


def test_what_was_held_until_palabra_heard_is_waited_for() -> None:
    """Waking up may take longer than it would be silent for: the word comes first."""
    attention = Attention(1, now=0)
    attention.sleep()
    spoken(attention, 10)
    attention.wake(14)

    assert attention.bedtime() == 16


def test_speech_that_is_sent_late_counts_when_it_is_sent() -> None:
    """What was held while Palabra woke up must be confirmed as well."""
    attention = Attention(5, now=0)
    spoken(attention, 10)
    attention.send(14)
    attention.send(13)

    assert attention.bedtime() == 19
