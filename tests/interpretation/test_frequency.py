"""How often something is done for each person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.frequency import FrequencyLimit

pytestmark = pytest.mark.unit


@given(st.floats(min_value=0, max_value=1), st.integers(min_value=1, max_value=300))
def test_it_is_bounded_for_all_time(pause: float, count: int) -> None:
    """Five at once, and one more in each three seconds."""
    limit = FrequencyLimit(5, 3.0)
    allowed = sum(limit.allows("ann", number * pause) for number in range(count))

    assert allowed <= 5 + count * pause / 3 + 1


def test_each_person_has_their_own() -> None:
    """What one does takes nothing from another, and comes back with time."""
    limit = FrequencyLimit(2, 10.0)
    assert [limit.allows("ann", 0) for _ in range(3)] == [True, True, False]
    assert limit.allows("bob", 0)
    assert [limit.allows("ann", 10.5) for _ in range(2)] == [True, False]
