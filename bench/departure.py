"""How fast everything is over when it must end now."""

from __future__ import annotations

import signal
import time

from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import dispatch, livekit_api, until_running
from palabra_agent.local.people import join
from palabra_agent.local.services import LocalServices

ROOMS = 3
_AIM_MS = 3000.0


async def measure_departure(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Delete dispatches, then stop the worker; the worker is gone afterwards."""
    task = progress.add_task("departure", total=ROOMS + 1)
    deleted: list[float] = []
    for number in range(ROOMS):
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
        Figure("dispatch deleted to all sessions ended", "ms", tuple(deleted), _AIM_MS),
        Figure("worker told to stop now to gone", "ms", (stopped,), _AIM_MS),
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
