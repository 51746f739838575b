"""Fifty listeners who choose at random, once a second for a minute; fewer on a small machine.

Whether each receives in the end what they chose last and nothing else, how many choices there were,
and how late the event loop of the interpreter was meanwhile. The interpreter is in a process of its
own, so that its loop alone is measured, and listeners receive no microphones. Each costs a tenth of
a core all the same, as all people of a meeting are on one machine here.
"""

from __future__ import annotations

import asyncio
import os
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from rich.progress import Progress

from bench.choosers import Choices, Choosers, Reception, choosers
from bench.choosing import CONFIG, SPEAKERS, talk_in
from bench.figures import Figure, percentile
from bench.meetings import until_running
from bench.served_room import begin_to_observe, observations, serving
from palabra_agent.local.people import join
from palabra_agent.local.services import LocalServices
from palabra_agent.meeting.people import LISTEN_ATTRIBUTE

_OF_A_CORE: Final = 10
"""So many listeners a core carries, with the servers and the interpreter."""
PEOPLE: Final = min(50, _OF_A_CORE * (os.cpu_count() or 1))
SECONDS: Final = 60
_AIM_MS: Final = 20.0

_IN_ONE_PROCESS: Final = 5
_ROOM: Final = "bench-crowd"
_SETTLE_SECONDS: Final = 4.0
_WAIT_SECONDS: Final = 30.0


async def measure_crowd(
    stage: LocalServices, progress: Progress, people: int = PEOPLE, seconds: float = SECONDS
) -> list[Figure]:
    """Let many choose for some time, then look at what each of them receives."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(talk_in(stage, _ROOM, is_private=True))
        crowd = [
            await stack.enter_async_context(choosers(stage.livekit, _ROOM, identities))
            for identities in progress.track(_groups(people), description="crowd comes")
        ]
        process = await stack.enter_async_context(_interpreter(stage))
        choices = await _choose(seconds, crowd, progress)
        late = (await observations(process)).late
        await asyncio.sleep(_SETTLE_SECONDS)
        seen = [
            one
            for group in progress.track(crowd, description="crowd listens")
            for one in await _look(group)
        ]

    right = sum(map(_is_right, seen))
    silent = sum(not heard for chosen, heard in seen if chosen != "original")
    return [
        Figure("choices a second", "", (sum(it.taken for it in choices) / seconds,)),
        Figure("choices that LiveKit did not take", "", (sum(it.refused for it in choices),)),
        Figure("listeners", "", (people,)),
        Figure("listeners who hear what they chose last, and nothing else", "", (right,)),
        Figure("listeners who hear nothing of it", "", (silent,), 0.5),
        Figure("listeners who hear something else", "", (people - right - silent,), 0.5),
        Figure(f"event loop, {people} choosers, p99", "ms", (percentile(late, 0.99),), _AIM_MS),
    ]


def _groups(people: int) -> list[list[str]]:
    """Deal people out to processes."""
    everyone = [str(number) for number in range(people)]
    return [
        everyone[place : place + _IN_ONE_PROCESS] for place in range(0, people, _IN_ONE_PROCESS)
    ]


async def _choose(seconds: float, crowd: Sequence[Choosers], progress: Progress) -> list[Choices]:
    """Let all of them choose."""
    task, began = progress.add_task("crowd chooses", total=seconds), time.monotonic()
    async with asyncio.TaskGroup() as group:
        choosing = [group.create_task(it.choose(seconds), name="choose") for it in crowd]
        waiting = set(choosing)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=1)
            progress.update(task, completed=time.monotonic() - began)

    return [it.result() for it in choosing]


async def _look(group: Choosers) -> list[Reception]:
    """Find out what some of them receive, again and again until it is right, for some time."""
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        seen = await group.look()
        if all(map(_is_right, seen)) or time.monotonic() > end:
            return seen


def _is_right(reception: Reception) -> bool:
    chosen, heard = reception
    return heard == ([] if chosen == "original" else [chosen])


@asynccontextmanager
async def _interpreter(stage: LocalServices) -> AsyncGenerator[Process]:
    """Have the interpreter at work, in a process that tells how late its event loop was."""
    attributes = {LISTEN_ATTRIBUTE: "es"}
    async with (
        join(stage.livekit, _ROOM, "first", attributes=attributes, microphone=False) as first,
        serving(stage, _ROOM, CONFIG) as process,
    ):
        await first.wait_for_interpreter(_WAIT_SECONDS)
        # to open a session takes seconds where the machine is full
        await until_running(stage, SPEAKERS)
        begin_to_observe(process)
        yield process
