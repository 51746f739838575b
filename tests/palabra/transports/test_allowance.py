"""The bound on what one session may send: far above what Palabra sends, and below any flood."""

from __future__ import annotations

import pytest

from palabra_agent.palabra.transports.allowance import (
    WORDS_AND_SOUND,
    WORDS_ONLY,
    MessageAllowance,
    MessageRate,
)

pytestmark = pytest.mark.unit

CHUNK = 13_000
"""Bytes of 200 ms of speech, as Palabra sends them over a WebSocket."""


def admitted(allowance: MessageAllowance, count: int, size: int, now: float) -> bool:
    """Let messages come at once; tell whether they all may."""
    return sum(allowance.admits(size, now) for _ in range(count)) == count


@pytest.mark.parametrize(("rate", "languages"), [(WORDS_AND_SOUND, 8), (WORDS_ONLY, 32)])
def test_an_hour_of_interpretation_is_nothing(rate: MessageRate, languages: int) -> None:
    """Each second, words five times in each language and the original; and its sound."""
    allowance = MessageAllowance(rate)
    for second in range(3_600):
        assert admitted(allowance, (languages + 1) * 5, 500, float(second))
        if rate is WORDS_AND_SOUND:
            assert admitted(allowance, languages * 5, CHUNK, float(second))


def test_half_a_minute_of_speech_may_come_at_once() -> None:
    """In eight languages: a long phrase comes faster than it is spoken, and so does the next."""
    allowance = MessageAllowance(WORDS_AND_SOUND)
    for phrase in range(10):
        assert admitted(allowance, 8 * 150, CHUNK, 30.0 * phrase)


@pytest.mark.parametrize("rate", [WORDS_ONLY, WORDS_AND_SOUND])
@pytest.mark.parametrize(("size", "portions"), [(0, 1), (8_191, 1), (8_192, 2), (65_536, 9)])
def test_a_flood_ends_after_so_much(rate: MessageRate, size: int, portions: int) -> None:
    """Be it of tiny messages or of large ones."""
    allowance = MessageAllowance(rate)

    assert admitted(allowance, rate.at_once // portions, size, 0.0)
    assert not allowance.admits(size + 8_192, 0.0)


def test_a_flood_that_is_slow_ends_as_well() -> None:
    """With twice what is allowed in a second it takes twenty seconds."""
    allowance, second = MessageAllowance(WORDS_AND_SOUND), 0
    while admitted(allowance, 1_000, 10, float(second)):
        second += 1

    assert second == 19


@pytest.mark.parametrize("rate", [WORDS_ONLY, WORDS_AND_SOUND])
def test_what_is_allowed_may_go_on_for_ever(rate: MessageRate) -> None:
    """Exactly so much, second by second; and a long silence saves up no more than once."""
    allowance = MessageAllowance(rate)
    for second in range(100):
        assert admitted(allowance, rate.per_second, 10, float(second))

    assert admitted(allowance, rate.at_once, 10, 1e6)
    assert not allowance.admits(10, 1e6)
