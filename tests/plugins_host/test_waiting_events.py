"""Events that wait for a plugin: in order, and never too many."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.capabilities.capability import TellAll
from palabra_agent.plugins_host.waiting_events import WaitingEvents

pytestmark = pytest.mark.unit

NUMBERS: TellAll[int] = TellAll(
    object, "on_number", is_expendable=lambda number: number < 0, most_waiting=9
)


def _left(numbers: Sequence[int]) -> tuple[list[int], int]:
    """Let numbers wait; give those that are left, and how many were dropped."""
    waiting = WaitingEvents(NUMBERS)
    for number in numbers:
        waiting.put(number)

    left = [waiting.pop() for _ in range(len(waiting))]
    return left, waiting.untold


@given(st.lists(st.booleans(), max_size=60))
def test_the_newest_wait_in_order(are_kept: list[bool]) -> None:
    """Never too many wait; the order is kept, and expendable ones go first."""
    numbers = [it if is_kept else -it for it, is_kept in enumerate(are_kept, 1)]
    left, dropped = _left(numbers)

    left_out = [it for it in numbers if it not in left]
    assert len(left) == min(len(numbers), NUMBERS.most_waiting)
    assert dropped == len(left_out)
    assert left == [it for it in numbers if it in left]
    if any(it > 0 for it in left_out):
        first_expendable = next((at for at, it in enumerate(left) if it < 0), len(left))
        assert first_expendable + len(left_out) >= NUMBERS.most_waiting


@pytest.mark.parametrize(
    ("put", "left"),
    [
        ([1, -2, -3, *range(4, 11)], [1, -3, *range(4, 11)]),
        (list(range(12)), list(range(3, 12))),
    ],
    ids=["the oldest expendable goes first", "else the oldest"],
)
def test_the_oldest_go_first(put: list[int], left: list[int]) -> None:
    """An event that is not expendable is kept as long as there is anything else; all count."""
    assert _left(put) == (left, len(put) - len(left))
