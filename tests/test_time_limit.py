"""A room's time: counted from its beginning, whatever is said of it meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from palabra_agent.time_limit import TimeIsUp, TimeLimit
from tests.clock import in_jumping_time, passing

pytestmark = pytest.mark.unit


async def lasted(minutes: float | None, after: float, then: float | None) -> float:
    """Tell for how many minutes a block of four may go on whose limit is changed meanwhile."""
    now = asyncio.get_running_loop().time
    began, limit = now(), TimeLimit(minutes)
    with suppress(TimeIsUp):
        async with limit:
            await passing(after * 60)
            limit.follow(then)
            await passing((4 - after) * 60)

    assert limit.minutes == then
    return (now() - began) / 60


@pytest.mark.parametrize(
    ("minutes", "after", "then", "expected"),
    [
        (2, 1, 2, 2),
        (2, 1, 3, 3),
        (3, 1, 2, 2),
        (3, 2.5, 2, 2.5),
        (None, 1, 2, 2),
        (2, 1, None, 4),
    ],
)
def test_a_limit_counts_from_the_beginning(
    minutes: float | None, after: float, then: float | None, expected: float
) -> None:
    """One that has passed already ends it at once; without one it ends as it pleases."""

    @in_jumping_time
    async def run() -> None:
        assert await lasted(minutes, after, then) == pytest.approx(expected, abs=0.02)

    run()


@in_jumping_time
async def test_another_deadline_is_not_the_limit() -> None:
    """What is late within the block is told apart from the end of its time."""
    with pytest.raises(TimeoutError) as late:
        async with TimeLimit(2), asyncio.timeout(60):
            await passing(90)

    assert not isinstance(late.value, TimeIsUp)


@in_jumping_time
async def test_what_is_over_has_no_other_limit() -> None:
    """A change that comes too late is none."""
    limit = TimeLimit(1)
    async with limit:
        await passing(1)

    limit.follow(5)
    assert limit.minutes == 1
