"""How fast the interpreter comes when it is called."""

from __future__ import annotations

import asyncio
import time

from livekit import api
from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import dispatch, livekit_api
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
    """When the server says that the interpreter is in the room."""
    async with livekit_api(stage) as livekit:
        while True:
            answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
            if any(who.identity == AGENT_IDENTITY for who in answer.participants):
                return time.monotonic()
