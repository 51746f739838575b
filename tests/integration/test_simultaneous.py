"""Requests for the interpreter at nearly the same time: one comes to the room, and stays."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import pytest

from tests.clock import eventually

from .stack import Room, Stack, Worker

pytestmark = pytest.mark.livekit

WATCHED_SECONDS: Final = 17.0
"""An expelled job would join again after 15 s, if LiveKit's SDK were let."""
_SETTLED_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.2

MOMENTS: Final = {
    1: ((0.0, 0.0), (0.0, 0.1), (0.0, 1.0), (0.0, 0.1, 0.5)),
    2: ((0.0, 0.0), (0.0, 0.05), (0.0, 0.3), (0.0, 0.05, 0.1)),
}
"""When each request of a room is made, in seconds, by how many workers there are for it."""


async def test_one_interpreter_comes_and_stays(stack: Stack) -> None:
    """However close the requests are, and on however many workers their jobs run."""
    async with asyncio.TaskGroup() as group:
        for workers in MOMENTS:
            group.create_task(one_stays_in_each_room(stack, workers))


async def one_stays_in_each_room(stack: Stack, workers: int) -> None:
    """Make requests in one room after the other that so many workers share, and watch them all."""
    name = f"simultaneous-{workers}"
    async with AsyncExitStack() as opened, asyncio.TaskGroup() as group:
        names = [f"{name}-{number}" for number in range(workers)]
        running = [
            await opened.enter_async_context(stack.worker(it, agent_name=name)) for it in names
        ]
        watching: list[asyncio.Task[None]] = []
        for number, moments in enumerate(MOMENTS[workers]):
            room = await opened.enter_async_context(stack.room(f"{name}-room-{number}"))
            watching.append(group.create_task(comes_and_stays(room, name, moments)))
            # one room after the other: its interpreters have the machine while they start
            await eventually(partial(live_interpreters, room), "an interpreter")

        await asyncio.wait(watching)
        assert jobs_at_work(running) == len(MOMENTS[workers])


async def comes_and_stays(room: Room, agent_name: str, moments: tuple[float, ...]) -> None:
    """Make the requests, and watch what comes of them."""
    async with asyncio.TaskGroup() as group:
        for moment in moments:
            group.create_task(request(room, agent_name, moment))

    seen = await watch(room)
    at, live = seen[-1]
    assert len(live) == 1, (moments, seen)
    assert at < _SETTLED_SECONDS, (moments, seen)


async def live_interpreters(room: Room) -> frozenset[str]:
    """The interpreters in a room that are ready, by sid."""
    return frozenset(
        who.sid for who in await room.interpreters() if who.attributes["palabra.state"] == "live"
    )


async def request(room: Room, agent_name: str, moment: float) -> None:
    """Ask the interpreter into the room after so many seconds."""
    await asyncio.sleep(moment)
    await room.dispatch(agent_name=agent_name)


async def watch(room: Room) -> list[tuple[float, frozenset[str]]]:
    """Look again and again which interpreters are live, by sid; returns each change."""
    began = time.monotonic()
    seen: list[tuple[float, frozenset[str]]] = []
    while (at := time.monotonic() - began) < WATCHED_SECONDS:
        seen.append((at, await live_interpreters(room)))
        await asyncio.sleep(_POLL_SECONDS)

    return [next(group) for _, group in itertools.groupby(seen, key=lambda it: it[1])]


def jobs_at_work(workers: list[Worker]) -> int:
    """How many jobs have begun and not ended, as the workers' logs say."""
    entries = [entry for worker in workers for entry in worker.log_entries if "room" in entry]
    said = [entry["message"] for entry in entries]
    return said.count("received job request") - said.count("process exiting")
