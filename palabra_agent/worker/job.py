"""One room's job: puts the meeting, Palabra and the interpretation together for one dispatch.

The entrypoint sets up, starts the room's scope and returns: LiveKit Agents waits 15 s for one that
does not. The scope is the one task that no task group owns; the job does. It is ended by
`end_interpretation`, while the room is still connected, and when it ends by itself the job is shut
down.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from typing import Final

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess

from palabra_agent.concurrency import TimeIsUp, TimeLimit, Watched, leaves
from palabra_agent.config.room import known_keys
from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import MeetingError, RoomConfigError
from palabra_agent.interpretation.casting import Casting
from palabra_agent.interpretation.ports import Notice, RoomState, RoomStatus
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.meeting.meeting import LiveKitMeeting, open_meeting
from palabra_agent.meeting.refusal import refusal_sentence, refuse
from palabra_agent.meeting.rpc import Methods, open_methods
from palabra_agent.palabra.rest.api import open_api
from palabra_agent.palabra.sessions import PalabraSessions
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.room.change import ConfigChange, read_config
from palabra_agent.room.configuring import CONFIGURE, Configuring, Parts, warn_of
from palabra_agent.room.explaining import EXPLAIN, Explaining
from palabra_agent.room.terms import session_settings_of, terms_of
from palabra_agent.worker.access import palabra_access

_SETTINGS: Final = "palabra_agent.settings"
_PLUGINS: Final = "palabra_agent.plugins"
_SCOPE: Final = "palabra_agent.scope"
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

    # the job owns it: LiveKit Agents has no task group of its own
    scope = asyncio.create_task(_run(ctx), name="room scope")  # noqa: TID251
    scope.add_done_callback(partial(_shut_down, ctx))
    ctx.proc.userdata[_SCOPE] = scope


async def end_interpretation(ctx: JobContext) -> None:
    """End the room's scope while the room is still connected; called once per job."""
    scope: asyncio.Task[None] | None = ctx.proc.userdata.get(_SCOPE)
    if scope is None:
        return

    logger.info("interpretation ending")
    scope.cancel()
    _, late = await asyncio.wait({scope}, timeout=_END_SECONDS)
    if late:
        logger.error("the interpretation did not end in time")
    else:
        logger.info("interpretation ended")


def _shut_down(ctx: JobContext, scope: asyncio.Task[None]) -> None:
    """A scope that ends by itself takes its job along."""
    if scope.cancelled():
        return

    if scope.exception() is not None:
        logger.error("the room's scope broke", exc_info=scope.exception())

    ctx.shutdown("the interpretation ended")


@dataclass(frozen=True, slots=True)
class _Job:
    """What one room is interpreted with."""

    settings: WorkerSettings
    plugins: PluginCatalog
    methods: Methods
    began: ConfigChange
    """The config that holds at first."""
    meeting: LiveKitMeeting
    chain: PluginChain


async def _run(ctx: JobContext) -> None:
    """Interpret the room until it ends, or say why not."""
    settings: WorkerSettings = ctx.proc.userdata[_SETTINGS]
    plugins: PluginCatalog = ctx.proc.userdata[_PLUGINS]
    name = ctx.job.room.name
    async with open_methods(ctx.room, (CONFIGURE, EXPLAIN)) as methods:
        try:
            # plugins check their own part, and may take their time
            began = await asyncio.to_thread(
                read_config, ctx.job.metadata, settings.room_layers(name), plugins
            )
        except RoomConfigError as error:
            methods.excuse(refusal_sentence(error))
            async with open_meeting(ctx.room, (), listens=False) as meeting:
                await refuse(meeting, error, known_keys(error.problems))
            return

        config = began.config
        async with (
            open_chain(name, began.plugins, config.languages) as chain,
            open_meeting(ctx.room, config.languages) as meeting,
        ):
            await _interpret(_Job(settings, plugins, methods, began, meeting, chain))


async def _interpret(job: _Job) -> None:
    meeting, config = job.meeting, job.began.config
    warn_of(config)
    credentials = palabra_access(job.settings.palabra_credentials)
    limit = TimeLimit(config.limits.max_minutes)
    try:
        async with limit, open_api(job.settings.palabra_api_url, credentials) as api:
            sessions = PalabraSessions(api, session_settings_of(config))
            await _interpret_as_configured(job, sessions, limit)
    except* TimeIsUp:
        minutes = limit.minutes or 0
        _give_up(meeting, f"The interpretation ends: it was limited to {minutes:g} minutes")
    except* MeetingError as errors:
        logger.error("the interpretation failed: %s", leaves(errors)[0])  # noqa: TRY400 - said
        _give_up(meeting, "The interpretation ends: the room does not let it work")
    except* Exception:  # the scope's end must be visible in the room, whatever ended it
        logger.exception("the interpretation failed")
        _give_up(meeting, "The interpretation ends: it failed")


async def _interpret_as_configured(job: _Job, sessions: PalabraSessions, limit: TimeLimit) -> None:
    """Interpret a room whose config may change meanwhile."""
    config, casting = job.began.config, Casting(job.chain)
    terms = Watched(terms_of(config))
    parts = Parts(terms, sessions, job.chain, job.meeting, limit)
    configuring = Configuring(config, parts, job.plugins, job.settings.organisers)
    explaining = Explaining(casting.explain, lambda: configuring.config.languages)
    methods = {CONFIGURE: configuring.configure, EXPLAIN: explaining.explain}
    async with job.methods.serving(methods):
        await interpret_room(job.meeting, terms, sessions.open, casting)


def _give_up(meeting: LiveKitMeeting, sentence: str) -> None:
    """Tell the room why it has no interpreter any more."""
    meeting.texts.put(Notice(sentence))
    meeting.show(RoomStatus(RoomState.FAILED, error=sentence))
