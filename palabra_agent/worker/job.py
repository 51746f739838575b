"""The entrypoint of a LiveKit job: joins the room of a dispatch, and has it served until its end.

The entrypoint sets up, starts the room's task and returns: LiveKit Agents waits 15 s for one that
does not. This task is the only one that no task group owns; the job does. It is ended by
`end_interpretation`, while the room is still connected, and when it ends by itself the job is shut
down.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess

from palabra_agent.config.settings import WorkerSettings
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.room.composition import DispatchedRoom, serve_room

_SETTINGS: Final = "palabra_agent.settings"
_PLUGINS: Final = "palabra_agent.plugins"
_ROOM_TASK: Final = "palabra_agent.room_task"
_END_SECONDS: Final = 2.5

logger = logging.getLogger(__name__)


def prepare_process(settings: WorkerSettings, process: JobProcess) -> None:
    """Give a job process what it needs before it knows its room: settings, and plugins loaded."""
    process.userdata[_SETTINGS] = settings
    process.userdata[_PLUGINS] = load_plugins(settings.plugins, settings.allowed_plugins)


async def interpret_job(ctx: JobContext) -> None:
    """Join the room of a dispatch and start to interpret it."""
    try:
        await ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    except rtc.ConnectError:
        logger.error("the room cannot be joined")  # noqa: TRY400 - the cause holds the token
        ctx.shutdown("the room cannot be joined")
        return

    process = ctx.proc.userdata
    room = DispatchedRoom(
        ctx.room, ctx.job.room.name, ctx.job.metadata, process[_SETTINGS], process[_PLUGINS]
    )
    # the job owns it: LiveKit Agents has no task group of its own
    task = asyncio.create_task(serve_room(room), name="room")  # noqa: TID251
    task.add_done_callback(partial(_shut_down, ctx))
    process[_ROOM_TASK] = task


async def end_interpretation(ctx: JobContext) -> None:
    """End the room's task while the room is still connected; called once per job."""
    task: asyncio.Task[None] | None = ctx.proc.userdata.get(_ROOM_TASK)
    if task is None:
        return

    logger.info("interpretation ending")
    task.cancel()
    _, late = await asyncio.wait({task}, timeout=_END_SECONDS)
    if late:
        logger.error("the interpretation did not end in time")
    else:
        logger.info("interpretation ended")


def _shut_down(ctx: JobContext, task: asyncio.Task[None]) -> None:
    """End the job when its room's task has ended by itself."""
    if task.cancelled():
        return

    if task.exception() is not None:
        logger.error("the room's scope broke", exc_info=task.exception())

    ctx.shutdown("the interpretation ended")
