"""Further attempts: each comes later than the one before, up to a bound, and never in step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.retries import Backoff, ReplacementDelay

pytestmark = pytest.mark.unit


def test_pauses_double_up_to_a_bound() -> None:
    """Attempts that fail at once come ever later, but never later than every 15 s."""
    backoff = Backoff()
    pauses = [backoff.pause_after(0) for _ in range(10)]
    longest = [0.5, 1, 2, 4, 8, 15, 15, 15, 15, 15]

    assert [it for it in zip(pauses, longest, strict=True) if not it[1] / 2 <= it[0] <= it[1]] == []


def test_a_session_that_lasted_starts_afresh() -> None:
    """After half a minute of interpretation, the next loss is a first one again."""
    backoff = Backoff()
    for _ in range(10):
        backoff.pause_after(0)

    assert backoff.pause_after(30) <= 0.5
    assert backoff.pause_after(0) <= 1


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=50))
def test_a_pause_is_never_nothing(lasted: list[float]) -> None:
    """Whatever happened before, attempts never follow each other at once."""
    backoff = Backoff()

    assert all(0.25 <= backoff.pause_after(it) <= 15 for it in lasted)


def test_speakers_do_not_come_back_in_step() -> None:
    """Two who failed together wait for different times."""
    assert len({Backoff().pause_after(0) for _ in range(20)}) > 1


def test_what_is_in_vain_is_tried_less_and_less() -> None:
    """At once, then after twenty seconds and twice as long each time; an answer forgives all."""
    delay = ReplacementDelay()
    tried = [second for second in range(1000) if delay.is_over(second)]
    delay.reset()

    assert tried == [0, 20, 60, 140, 300, 620]
    assert delay.is_over(1000)
