"""Who still counts as there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.lingering import Lingering

pytestmark = pytest.mark.unit

LINGER = 5.0

looks = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from("abc")),
        st.booleans(),
        st.floats(min_value=0, max_value=4),
    ),
    max_size=30,
)


@given(looks)
def test_people_count_exactly_as_long_as_promised(
    seen: list[tuple[frozenset[str], bool, float]],
) -> None:
    """Whoever is there counts; whoever is missed counts for the linger of connected time."""
    lingering = Lingering(LINGER)
    now, last_seen = 0.0, dict[str, float]()
    for present, is_connected, pause in seen:
        now += pause
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        before = last_seen.keys()
        assert present <= counted <= present | before
        if not is_connected:
            # nobody leaves while we cannot look
            assert counted == present | before

        last_seen = dict.fromkeys(present, now) | {who: last_seen[who] for who in counted - present}


@given(looks)
def test_nobody_is_missed_for_longer(seen: list[tuple[frozenset[str], bool, float]]) -> None:
    """At the time that is told, the next one stops counting, and not before."""
    lingering = Lingering(LINGER)
    now = 0.0
    for present, is_connected, pause in seen:
        now += pause
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        departure = lingering.next_departure
        if departure is None:
            assert not is_connected or counted == present
        else:
            assert now < departure <= now + LINGER


def test_a_short_absence_is_no_departure() -> None:
    """Coming back in time starts all over; staying away does not."""
    lingering = Lingering(LINGER)
    seen = [
        lingering.observe(present, is_connected=True, now=now)
        for present, now in [("a", 0), ("", 1), ("", 5.9), ("a", 5.95), ("", 6), ("", 10.9)]
    ]

    departure = lingering.next_departure

    assert seen == [{"a"}] * 6
    assert departure == 11
    assert lingering.observe("", is_connected=True, now=11) == set()
    assert lingering.next_departure is None


def test_absence_counts_from_our_own_return() -> None:
    """While we are away ourselves nobody leaves, however long; then everybody has the full time."""
    lingering = Lingering(LINGER)
    seen: list[tuple[str, float | None]] = []
    for present, is_connected, now in [
        ("ab", True, 0),
        ("b", True, 1),
        ("", False, 2),
        ("", False, 1000),
        ("b", True, 1001),
        ("b", True, 1006),
    ]:
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        seen.append(("".join(sorted(counted)), lingering.next_departure))

    assert seen == [("ab", None), ("ab", 6), ("ab", None), ("ab", None), ("ab", 1006), ("b", None)]


def test_without_a_linger_absence_is_departure() -> None:
    """A linger of zero seconds means none."""
    lingering = Lingering(0)
    lingering.observe("a", is_connected=True, now=0)

    assert lingering.observe("", is_connected=True, now=0) == set()
