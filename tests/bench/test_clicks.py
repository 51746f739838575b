"""Clicks that came back, and those that did not."""

from __future__ import annotations

import pytest

from bench.clicks import Clicks

pytestmark = pytest.mark.unit


def test_both_ways_are_told_apart() -> None:
    """Palabra's own time, between the two, counts for neither."""
    clicks = Clicks()
    clicks.note(10.0, [10.1, 10.2, 11.0, 11.25])

    assert clicks.up[0] == pytest.approx((10.1, 100))
    assert clicks.down[0] == pytest.approx((10.1, 250))
    assert clicks.both[0] == pytest.approx((10.1, 350))
    assert (len(clicks.both), clicks.lost) == (1, [])


@pytest.mark.parametrize("times", [[], [10.1], [10.1, 10.2, 11.0]])
def test_a_click_that_did_not_come_back_is_lost(times: list[float]) -> None:
    """Wherever it was heard last."""
    clicks = Clicks()
    clicks.note(10.0, times)

    assert (clicks.both, clicks.lost) == ([], [10.0])


def test_times_count_from_a_moment_and_the_rest_is_forgotten() -> None:
    """What came before the start was only to find out that sound comes through."""
    clicks = Clicks()
    for at in (10.0, 20.0, 30.0):
        clicks.note(at, [at, at, at, at])
    clicks.note(12.0, [])
    clicks.note(25.0, [])

    counted = clicks.since(22.0, start=20.0)
    assert [at for at, _ in counted.both] == [-2.0, 8.0]
    assert counted.lost == [3.0]
