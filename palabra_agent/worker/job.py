"""The entrypoint of a LiveKit job: has the room of a dispatch joined and served until its end.

The entrypoint starts the room's task and returns: LiveKit Agents waits 15 s for one that does not.
This task is the only one that no task group owns; the job does. It is ended by
`end_interpretation`, and when it ends by itself, or the room is lost, the job is shut down.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from livekit.agents import JobContext, JobProcess
from livekit.rtc import DisconnectReason

from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.concurrency import on_native_panic, single_failure
from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import MeetingError
from palabra_agent.failures import log_failure
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.room.composition import DispatchedRoom, RoomPast, serve_room
from palabra_agent.worker.joining import (
    IdentityTaken,
    Superseded,
    identities_after_expulsion,
    join_room,
    serve_despite_guests,
)
from palabra_agent.worker.log import limited_log, set_up_job_logging

_SETTINGS: Final = "palabra_agent.settings"
_PLUGINS: Final = "palabra_agent.plugins"
_ROOM_TASK: Final = "palabra_agent.room_task"
_END_SECONDS: Final = 2.5
_GREETING: Final = (
    "The interpreter is here as {identity}. "
    "A participant who is not the interpreter joined as {taken}."
)

logger = logging.getLogger(__name__)


def prepare_process(settings: WorkerSettings, process: JobProcess) -> None:
    """Give a job process what it needs before it knows its room: settings, and plugins loaded."""
    set_up_job_logging()
    prefer_short_path()
    process.userdata[_SETTINGS] = settings
    process.userdata[_PLUGINS] = load_plugins(settings.plugins, settings.allowed_plugins)
    # a job does not heed the signal that follows: what still works goes on
    on_native_panic(partial(logger.error, "the native part of livekit's sdk gave up"))


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
    """Join the room and serve it; expelled by a guest, come back, but not for ever."""
    settings: WorkerSettings = ctx.proc.userdata[_SETTINGS]
    try:
        async with limited_log():
            await serve_despite_guests(settings.identity, partial(_serve_as, ctx, RoomPast()))
    except Superseded as news:
        logger.info("%s", news)
    except MeetingError as error:
        logger.error("%s", error)  # noqa: TRY400 - said in full


async def _serve_as(
    ctx: JobContext, past: RoomPast, identity: str, taken: str
) -> Sequence[str] | None:
    """Serve the room under an identity, as `serve_despite_guests` wants it.

    Raises:
        Superseded: A newer interpreter is there.
        MeetingError: The room could not be joined.
    """
    process = ctx.proc.userdata
    settings: WorkerSettings = process[_SETTINGS]
    claims, sid = ctx.token_claims(), ""
    greeting = _GREETING.format(identity=identity, taken=taken) if taken else ""
    with suppress(IdentityTaken):
        async with join_room(settings, claims, identity) as connection:
            name, metadata, plugins = ctx.job.room.name, ctx.job.metadata, process[_PLUGINS]
            room = DispatchedRoom(connection, name, metadata, settings, plugins, past, greeting)
            if not await _serve_until_expelled(ctx, room):
                return None

            sid = connection.local_participant.sid

    return await identities_after_expulsion(settings, claims, identity, sid)


async def _serve_until_expelled(ctx: JobContext, room: DispatchedRoom) -> bool:
    """Serve a room; True where another participant took our identity."""
    expelled = asyncio.Event()

    def note(reason: DisconnectReason.ValueType) -> None:
        if reason == DisconnectReason.DUPLICATE_IDENTITY:
            expelled.set()
        else:
            ctx.shutdown("room disconnected")

    room.connection.on("disconnected", note)
    with single_failure():
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve_room(room), name="serve the room")
            losing = group.create_task(expelled.wait(), name="be expelled")
            await asyncio.wait({serving, losing}, return_when=asyncio.FIRST_COMPLETED)
            serving.cancel()
            losing.cancel()

    return expelled.is_set()


def _shut_down(ctx: JobContext, task: asyncio.Task[None]) -> None:
    """End the job when its room's task has ended by itself."""
    if task.cancelled():
        return

    if (error := task.exception()) is not None:
        log_failure(logger, "the room's scope broke", error)

    ctx.shutdown("the interpretation ended")
