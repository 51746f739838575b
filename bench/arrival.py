"""The time until the interpreter comes when called, and until all is over at its end."""

from __future__ import annotations

import asyncio
import signal
import time

from livekit import api
from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import dispatch, livekit_api, until_running
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson, join
from palabra_agent.local.services import LocalServices

ROOMS = 10
_CONNECTED_AIM_MS = 500.0
_SEEN_AIM_MS = 700.0


async def measure_arrival(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Dispatch into rooms with a person in them, one after the other."""
    task = progress.add_task("arrival", total=ROOMS)
    connected: list[float] = []
    seen: list[float] = []
    for number in range(ROOMS):
        room = f"bench-arrival-{number}"
        async with join(stage.livekit, room, "guest") as guest:
            began = time.monotonic()
            dispatch_id = await dispatch(stage, room)
            async with asyncio.TaskGroup() as group:
                listed = group.create_task(_listed(stage, room), name="listed")
                await _until_seen(guest)
                seen.append((time.monotonic() - began) * 1000)
            connected.append((listed.result() - began) * 1000)
            async with livekit_api(stage) as livekit:
                await livekit.agent_dispatch.delete_dispatch(dispatch_id, room)
        progress.advance(task)
        await asyncio.sleep(1.0)  # a warm process takes the place of the one used up

    return [
        Figure("dispatch to connected", "ms", tuple(connected), _CONNECTED_AIM_MS),
        Figure("dispatch to seen by others", "ms", tuple(seen), _SEEN_AIM_MS),
    ]


async def _until_seen(guest: SimulatedPerson) -> None:
    await guest.wait_for(lambda: guest.room.remote_participants.get(AGENT_IDENTITY), 10)


async def _listed(stage: LocalServices, room: str) -> float:
    """The time at which the server says that the interpreter is in the room."""
    async with livekit_api(stage) as livekit:
        while True:
            answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
            if any(who.identity == AGENT_IDENTITY for who in answer.participants):
                return time.monotonic()


ENDED_ROOMS = 3
_END_AIM_MS = 3000.0


async def measure_departure(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Delete dispatches, then stop the worker; the worker is gone afterwards."""
    task = progress.add_task("departure", total=ENDED_ROOMS + 1)
    deleted: list[float] = []
    for number in range(ENDED_ROOMS):
        room = f"bench-departure-{number}"
        async with join(stage.livekit, room, "guest", attributes={"palabra.speak": "en"}):
            dispatch_id = await dispatch(stage, room)
            await until_running(stage, 1)
            began = time.monotonic()
            async with livekit_api(stage) as livekit:
                await livekit.agent_dispatch.delete_dispatch(dispatch_id, room)
            await until_running(stage, 0)
            deleted.append((time.monotonic() - began) * 1000)
        progress.advance(task)

    stopped = await _stop_worker(stage)
    progress.advance(task)
    return [
        Figure("dispatch deleted to all sessions ended", "ms", tuple(deleted), _END_AIM_MS),
        Figure("worker told to stop now to gone", "ms", (stopped,), _END_AIM_MS),
    ]


async def _stop_worker(stage: LocalServices) -> float:
    """Stop the worker with one room at work; its drain time is 0."""
    room = "bench-stop"
    async with join(stage.livekit, room, "guest", attributes={"palabra.speak": "en"}):
        await dispatch(stage, room)
        await until_running(stage, 1)
        began = time.monotonic()
        stage.worker.process.send_signal(signal.SIGTERM)
        await stage.worker.process.wait()
        gone = (time.monotonic() - began) * 1000
        await until_running(stage, 0)
        return gone
