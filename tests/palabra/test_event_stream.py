"""The bounded queue of events: in order, with one end."""

from __future__ import annotations

import asyncio
import itertools
import logging
from itertools import pairwise

import pytest

from palabra_agent.errors import SessionLost
from palabra_agent.palabra.event_stream import MOST_WAITING, EventStream
from tests.clock import in_jumping_time

pytestmark = pytest.mark.unit


@in_jumping_time
async def test_events_come_in_order_until_the_end() -> None:
    """The end comes after what was put before it."""
    stream = EventStream[int]()
    for number in range(3):
        stream.put(number)
    stream.end()

    assert [it async for it in stream.events()] == [0, 1, 2]


@in_jumping_time
async def test_an_error_is_raised_after_the_events_before_it() -> None:
    """The reader learns why nothing more comes."""
    stream = EventStream[int]()
    stream.put(1)
    stream.end(SessionLost("gone"))
    events = stream.events()

    assert await anext(events) == 1
    with pytest.raises(SessionLost, match="gone"):
        await anext(events)


@in_jumping_time
async def test_memory_is_finite_and_the_newest_never_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where too many are unread the oldest go; it is logged once, and the end is there."""
    stream = EventStream[int]()
    with caplog.at_level(logging.WARNING):
        for number in range(MOST_WAITING + 3):
            stream.put(number)
    stream.end()
    stream.put(0)

    assert [it async for it in stream.events()] == [*range(3, MOST_WAITING + 3)]
    assert [it.message for it in caplog.records] == ["session events dropped"]


@in_jumping_time
async def test_a_reader_of_many_events_gives_way_to_others() -> None:
    """However many wait: where reading one takes a millisecond, each third turn is another's."""
    stream, now = EventStream[int](lambda: next(clock)), 0
    clock = itertools.count(step=0.001)
    for number in range(300):
        stream.put(number)
    stream.end()
    turns: list[int] = []

    async def take_turns() -> None:
        while True:
            turns.append(now)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        others = group.create_task(take_turns())
        async for now in stream.events():  # noqa: B007 - read by the others
            pass
        others.cancel()

    assert len(turns) >= 60
    assert max(later - earlier for earlier, later in pairwise(turns)) <= 4
