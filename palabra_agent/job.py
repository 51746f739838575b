"""One room's job: puts the meeting, Palabra and the interpretation together for one dispatch.

The entrypoint sets up, starts the room's scope and returns: LiveKit Agents waits 15 s for one that
does not. The scope is the one task that no task group owns; the job does. It is ended by
`end_interpretation`, while the room is still connected, and when it ends by itself the job is shut
down.
"""

from __future__ import annotations

import asyncio
import logging
import math
from functools import partial
from typing import Final

from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess

from palabra_agent.access import palabra_access
from palabra_agent.errors import MeetingError, RoomConfigError
from palabra_agent.failures import leaves
from palabra_agent.interpretation.plan import Regime, SpeakerRule
from palabra_agent.interpretation.ports import Condition, RoomState
from palabra_agent.interpretation.room import interpret_room
from palabra_agent.interpretation.scribe import WritingRules
from palabra_agent.meeting.floor import LiveKitFloor, open_floor
from palabra_agent.meeting.refusal import refuse
from palabra_agent.palabra.client import make_sessions
from palabra_agent.palabra.rest.api import PalabraApi, open_api
from palabra_agent.palabra.session.uplink import Habits
from palabra_agent.palabra.sessions import PalabraSessions
from palabra_agent.room_config import RoomConfig, parse_room_config
from palabra_agent.settings import WorkerSettings

_SETTINGS: Final = "palabra_agent.settings"
_SCOPE: Final = "palabra_agent.scope"
_END_SECONDS: Final = 2.5

logger = logging.getLogger(__name__)


def prepare_process(settings: WorkerSettings, process: JobProcess) -> None:
    """Give a job process what it needs before it knows its room."""
    process.userdata[_SETTINGS] = settings


async def interpret_job(ctx: JobContext) -> None:
    """Join the room of a dispatch and start to interpret it."""
    settings: WorkerSettings = ctx.proc.userdata[_SETTINGS]
    try:
        await ctx.connect(auto_subscribe=AutoSubscribe.SUBSCRIBE_NONE)
    except rtc.ConnectError:
        logger.error("the room cannot be joined")  # noqa: TRY400 - the cause holds the token
        ctx.shutdown("the room cannot be joined")
        return

    # the job owns it: LiveKit Agents has no task group of its own
    scope = asyncio.create_task(_run(ctx, settings), name="room scope")  # noqa: TID251
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


async def _run(ctx: JobContext, settings: WorkerSettings) -> None:
    """Interpret the room until it ends, or say why not."""
    try:
        config = parse_room_config(ctx.job.metadata, layers=settings.room_layers(ctx.job.room.name))
    except RoomConfigError as error:
        async with open_floor(ctx.room, (), listens=False) as floor:
            await refuse(floor, error)
        return

    async with open_floor(ctx.room, config.languages) as floor:
        await _interpret(floor, config, settings)


async def _interpret(floor: LiveKitFloor, config: RoomConfig, settings: WorkerSettings) -> None:
    minutes = config.limits.max_minutes
    credentials = palabra_access(settings.palabra_credentials)
    try:
        async with (
            asyncio.timeout(minutes * 60 if minutes is not None else None),
            open_api(settings.palabra_api_url, credentials) as api,
        ):
            sessions = _sessions(config, api)
            await interpret_room(
                floor,
                regime_of(config),
                rules_of(config),
                sessions.open,
                linger_seconds=config.limits.linger_seconds,
            )
    except* TimeoutError:
        _give_up(floor, f"The interpretation ends: it was limited to {minutes or 0:g} minutes")
    except* MeetingError as errors:
        logger.error("the interpretation failed: %s", leaves(errors)[0])  # noqa: TRY400 - said
        _give_up(floor, "The interpretation ends: the room does not let it work")
    except* Exception:  # the scope's end must be visible in the room, whatever ended it
        logger.exception("the interpretation failed")
        _give_up(floor, "The interpretation ends: it failed")


def _give_up(floor: LiveKitFloor, sentence: str) -> None:
    """Tell the room why it has no interpreter any more."""
    floor.announce(sentence)
    floor.show(Condition(RoomState.FAILED, error=sentence))


def regime_of(config: RoomConfig) -> Regime:
    """The room's languages as its config says."""

    def rule_for(identity: str) -> SpeakerRule:
        override = config.speaker_override(identity)
        return SpeakerRule(override.source_language, override.interpret)

    return Regime(
        offered=config.always_interpreted,
        source_language=config.source_language,
        default_listen=config.default_listen,
        max_speakers=config.limits.max_speakers,
        rule_for=rule_for,
    )


def rules_of(config: RoomConfig) -> WritingRules:
    """What the room wants written."""
    return WritingRules(
        captions=config.captions.enabled,
        partials=config.captions.partials,
        chat=config.chat.enabled,
        audience=config.chat.audience,
        translations=_are_translations_told(config),
    )


def _are_translations_told(config: RoomConfig) -> bool:
    types = config.palabra.allowed_message_types
    return types is None or "translated_transcription" in types


def _sessions(config: RoomConfig, api: PalabraApi) -> PalabraSessions:
    """What the room wants of Palabra."""
    for caution in config.palabra.cautions(config.languages):
        logger.warning("caution: %s", caution)

    limits = config.limits
    return make_sessions(
        api,
        config.palabra,
        detectable_languages=config.spoken_languages,
        partial_translations=config.captions.enabled and config.captions.partials,
        habits=Habits(
            idle_pause_seconds=_or_never(limits.idle_pause_seconds),
            silent_output_seconds=_or_never(limits.silent_output_seconds),
        ),
    )


def _or_never(seconds: float | None) -> float:
    return math.inf if seconds is None else seconds
