"""Places for sessions: how many there are at a time, and how many begin in a minute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from palabra_agent.interpretation.session_places import SessionPlaces
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


class Crowd:
    """Sessions that want to begin, each in a task."""

    def __init__(self, places: SessionPlaces, group: asyncio.TaskGroup) -> None:
        self.open = 0
        self.begun = 0
        self._places = places
        self._group = group

    def begin(self, *, seconds: float, is_relief: bool = False) -> asyncio.Task[None]:
        """Let a session begin as soon as it may, and last for so long."""
        return self._group.create_task(self._last(seconds, is_relief=is_relief))

    async def _last(self, seconds: float, *, is_relief: bool) -> None:
        async with self._places.place(is_relief=is_relief):
            self.open += 1
            self.begun += 1
            await asyncio.sleep(seconds)
            self.open -= 1


@asynccontextmanager
async def crowd(most: int) -> AsyncGenerator[tuple[SessionPlaces, Crowd, list[bool]]]:
    """Have places, and what was shown of their haste."""
    shown: list[bool] = []
    places = SessionPlaces(most, lambda: shown.append(places.is_hasty))
    async with asyncio.TaskGroup() as group:
        yield places, Crowd(places, group), shown


@in_jumping_time
async def test_a_session_waits_until_one_has_ended() -> None:
    """Also where its speaker has a place already: the one before may take its time to end."""
    async with crowd(2) as (_, them, shown):
        for _ in range(5):
            them.begin(seconds=10)
        await passing(9)
        assert (them.open, them.begun) == (2, 2)
        await passing(10)
        assert (them.open, them.begun) == (2, 4)
        await eventually(lambda: them.begun == 5)

    assert not any(shown)


@in_jumping_time
async def test_a_relief_does_not_wait() -> None:
    """The one that it relieves is about to end; until then the next ones wait for both."""
    async with crowd(1) as (_, them, _):
        them.begin(seconds=10)
        await passing(1)
        them.begin(seconds=20, is_relief=True)
        them.begin(seconds=1)
        await passing(1)
        assert them.begun == 2
        await passing(15)
        assert (them.open, them.begun) == (1, 2)
        await eventually(lambda: them.begun == 3)


@in_jumping_time
async def test_more_places_are_taken_at_once() -> None:
    """Fewer end nothing: the plan does."""
    async with crowd(1) as (places, them, _):
        for _ in range(3):
            them.begin(seconds=10)
        await passing(1)
        places.follow(3)
        await passing(1)
        assert them.open == 3
        places.follow(1)
        await passing(1)
        assert them.open == 3


@in_jumping_time
async def test_no_more_begin_in_a_minute_than_are_allowed() -> None:
    """However short they are; the haste is shown while one waits for that."""
    async with crowd(2) as (places, them, shown):
        for _ in range(40):
            them.begin(seconds=0.1)
        await passing(30)
        assert them.begun == 16
        assert shown[-1:] == [True]
        await passing(40)
        assert them.begun == 32
        await eventually(lambda: them.begun == 40, seconds=100)
        assert not places.is_hasty

    assert shown[-1:] == [False]


@in_jumping_time
async def test_who_waits_no_more_takes_no_place() -> None:
    """A speaker who leaves while they wait is forgotten."""
    async with crowd(1) as (_, them, _):
        them.begin(seconds=10)
        await passing(1)
        waiting = [them.begin(seconds=10) for _ in range(3)]
        await passing(1)
        for task in waiting:
            task.cancel()
        them.begin(seconds=1)
        await passing(10)
        assert (them.open, them.begun) == (0, 2)
