"""The bounded queue of events: in order, with one end."""

from __future__ import annotations

import logging

import pytest

from palabra_agent.errors import SessionLost
from palabra_agent.palabra.event_stream import EventStream
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
async def test_memory_is_finite_and_the_end_never_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where nothing is read any more, the newest events go, and an operator may know."""
    stream = EventStream[int]()
    with caplog.at_level(logging.WARNING):
        for number in range(2_003):
            stream.put(number)
    stream.end()

    assert [it async for it in stream.events()] == [*range(2_000)]
    assert [it.message for it in caplog.records] == ["session event dropped"] * 3
