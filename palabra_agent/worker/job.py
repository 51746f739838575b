"""The entrypoint of a LiveKit job: has the room of a dispatch joined and served until its end.

The entrypoint starts the room's task and returns: LiveKit Agents waits 15 s for one that does not.
This task is the only one that no task group owns; the job does. It is ended by
`end_interpretation`, and when it ends by itself, or the room is lost, the job is shut down.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import Final

from livekit.agents import JobContext, JobProcess
from livekit.rtc import DisconnectReason

from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import MeetingError
from palabra_agent.failures import log_failure
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.room.composition import DispatchedRoom, serve_room
from palabra_agent.worker.joining import Superseded, join_room

_SETTINGS: Final = "palabra_agent.settings"
_PLUGINS: Final = "palabra_agent.plugins"
_ROOM_TASK: Final = "palabra_agent.room_task"
_END_SECONDS: Final = 2.5

logger = logging.getLogger(__name__)


def prepare_process(settings: WorkerSettings, process: JobProcess) -> None:
    """Give a job process what it needs before it knows its room: settings, and plugins loaded."""
    process.userdata[_SETTINGS] = settings
    process.userdata[_PLUGINS] = load_plugins(settings.plugins, settings.allowed_plugins)
    logging.getLogger("livekit.agents").addFilter(_is_no_false_alarm)
    logging.getLogger("livekit").addFilter(_names_no_participant)


async def interpret_job(ctx: JobContext) -> None:
    """Have the room of a dispatch interpreted."""
    # the job owns it: LiveKit Agents has no task group of its own
    task = asyncio.create_task(_interpret(ctx), name="room")  # noqa: TID251
    task.add_done_callback(partial(_shut_down, ctx))
    ctx.proc.userdata[_ROOM_TASK] = task


async def end_interpretation(ctx: JobContext) -> None:
    """End the room's task, which then leaves the room; called once per job."""
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


async def _interpret(ctx: JobContext) -> None:
    """Join the room and serve it."""
    process = ctx.proc.userdata
    settings: WorkerSettings = process[_SETTINGS]
    try:
        async with join_room(settings, ctx.token_claims()) as connection:
            connection.on("disconnected", partial(_end_with_room, ctx))
            room = DispatchedRoom(
                connection, ctx.job.room.name, ctx.job.metadata, settings, process[_PLUGINS]
            )
            await serve_room(room)
    except Superseded as news:
        logger.info("%s", news)
    except MeetingError as error:
        logger.error("%s", error)  # noqa: TRY400 - said in full


def _end_with_room(ctx: JobContext, reason: DisconnectReason.ValueType) -> None:
    """End the job when its room is gone, or it is expelled from it."""
    if reason == DisconnectReason.DUPLICATE_IDENTITY:
        logger.info("a newer interpreter joined the room")

    ctx.shutdown("room disconnected")


def _shut_down(ctx: JobContext, task: asyncio.Task[None]) -> None:
    """End the job when its room's task has ended by itself."""
    if task.cancelled():
        return

    if (error := task.exception()) is not None:
        log_failure(logger, "the room's scope broke", error)

    ctx.shutdown("the interpretation ended")


def _is_no_false_alarm(record: logging.LogRecord) -> bool:
    """Tell whether a line may be logged: LiveKit Agents misses a connection of its own making."""
    return not record.getMessage().startswith("The job task completed without establishing")


def _names_no_participant(record: logging.LogRecord) -> bool:
    """Tell whether a line may be logged: of each encrypted message LiveKit names the sender."""
    return "decrypt data packet" not in record.getMessage()
