"""A value that changes."""

from __future__ import annotations

import asyncio
import operator
from functools import partial

import pytest

from palabra_agent.interpretation.watched import Watched
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


@in_jumping_time
async def test_only_the_newest_counts() -> None:
    """Who is late sees the value of the moment, not what came between."""
    watched = Watched(0)
    seen: list[int] = []

    async def watch() -> None:
        async for value in watched.changes():
            seen.append(value)  # noqa: PERF401 - it never ends

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        await eventually(lambda: seen == [0])
        for value in [1, 2, 3, 3]:
            watched.set(value)
        await eventually(lambda: seen == [0, 3])
        watched.set(3)
        await passing(1)
        watching.cancel()

    assert seen == [0, 3]


@in_jumping_time
async def test_a_change_during_the_reader_s_work_is_seen() -> None:
    """What changes between two looks is not missed."""
    watched = Watched(0)
    seen: list[int] = []
    async for value in watched.changes():
        seen.append(value)
        if value == 3:
            break

        watched.set(value + 1)

    assert seen == [0, 1, 2, 3]


@in_jumping_time
async def test_waiting_ends_when_it_holds() -> None:
    """Several may wait for different things; each gets the value for which theirs holds."""
    watched = Watched(0)
    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(watched.wait_until(partial(operator.le, least)))
            for least in (0, 1, 5)
        ]
        for value in (1, 2, 7):
            await passing(1)
            watched.set(value)

    assert [it.result() for it in waits] == [0, 1, 7]
