"""Interprets one speaker: holds a Palabra session while wanted, and rebuilds it when lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.pump import fill, pump
from palabra_agent.errors import PalabraError, SessionLost
from palabra_agent.failures import leaves
from palabra_agent.interpretation.backoff import Backoff
from palabra_agent.interpretation.channel import LanguageChannel
from palabra_agent.interpretation.ports import (
    Brief,
    BriefFollowed,
    FrameSource,
    InterpretationEnded,
    InterpretationStarted,
    Microphone,
    Session,
    SessionOpener,
    Transcript,
    UpdateRefused,
)
from palabra_agent.interpretation.watched import Watched
from palabra_agent.languages import LanguageCode

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is wanted for a speaker right now."""

    brief: Brief
    microphone: Microphone | None
    """None while they are away for a moment."""


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where the interpretation of a speaker goes."""

    channels: Mapping[LanguageCode, LanguageChannel]
    on_transcript: Callable[[Transcript], None]
    on_trouble: Callable[[PalabraError | UpdateRefused], None]
    on_ready: Callable[[], None]


async def interpret_speaker(
    wanted: Watched[Assignment], open_session: SessionOpener, outlets: Outlets
) -> None:
    """Interpret a speaker until cancelled.

    A lost session is rebuilt with growing pauses. What cannot get better by itself, such as refused
    settings or credentials, is tried again only when something else is wanted.
    """
    backoff = Backoff()
    while True:
        brief, began = wanted.value.brief, time.monotonic()
        failure = await _attempt(wanted, open_session, outlets)
        _heed_cancellation()
        outlets.on_trouble(failure)
        if failure.retryable:
            await asyncio.sleep(backoff.pause_after(time.monotonic() - began))
        else:
            await _other_brief(wanted, brief)


async def _attempt(
    wanted: Watched[Assignment], open_session: SessionOpener, outlets: Outlets
) -> PalabraError:
    """Hold one session for as long as it lives; return what ended it."""
    failure: PalabraError = SessionLost("Palabra ended it")
    try:
        async with open_session(wanted.value.brief) as session, asyncio.TaskGroup() as group:
            outlets.on_ready()
            group.create_task(_uplink(wanted, session), name="uplink")
            group.create_task(_rebrief(wanted, session), name="rebrief")
            await _listen(session, group, outlets)
            raise failure
    except* PalabraError as ended:
        errors = leaves(ended)
        # what cannot get better decides
        failure = next((error for error in errors if not error.retryable), errors[0])

    return failure


async def _listen(session: Session, group: asyncio.TaskGroup, outlets: Outlets) -> None:
    """Follow what the session tells; each translated track gets a downlink while it is there."""
    downlinks: dict[FrameSource, asyncio.Task[None]] = {}
    async for event in session.events():
        match event:
            case Transcript():
                outlets.on_transcript(event)
            case BriefFollowed():
                outlets.on_ready()
            case UpdateRefused():
                outlets.on_trouble(event)
            case InterpretationStarted(language, source):
                channel = outlets.channels.get(language)
                if channel is not None:
                    downlinks[source] = group.create_task(
                        _downlink(source, channel), name=f"downlink:{language}"
                    )
            case InterpretationEnded(source):
                downlink = downlinks.pop(source, None)
                if downlink is not None:
                    downlink.cancel()


async def _uplink(wanted: Watched[Assignment], session: Session) -> None:
    """Send the speaker's voice, from whichever microphone they have."""
    while True:
        now = await wanted.wait_until(lambda it: it.microphone is not None)
        async with asyncio.TaskGroup() as group:
            pumping = group.create_task(_pump_up(now.microphone, session), name="pump up")
            await _other_microphone(wanted, now.microphone)
            pumping.cancel()


async def _pump_up(microphone: Microphone | None, session: Session) -> None:
    if microphone is None:
        return

    backlog = FrameBuffer()
    try:
        async with microphone.open_frames() as frames:
            await pump(frames, session.write, backlog)
    finally:
        _account("uplink closed", backlog)


async def _rebrief(wanted: Watched[Assignment], session: Session) -> None:
    async for now in wanted.changes():
        session.rebrief(now.brief)


async def _downlink(source: FrameSource, channel: LanguageChannel) -> None:
    """Bring a translated track into its channel."""
    with channel.mixer.open_input() as backlog:
        try:
            async with source.open_frames() as frames:
                await fill(frames, backlog)
        finally:
            _account("downlink closed", backlog)


def _account(event: str, backlog: FrameBuffer) -> None:
    """Tell the operator where the sound went: every lost millisecond counts."""
    logger.info(event, extra=asdict(backlog.statistics()))


def _heed_cancellation() -> None:
    """Stop here if we are being cancelled.

    A task group that fails while it is cancelled raises its errors, and the cancellation is lost in
    them.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _other_brief(wanted: Watched[Assignment], brief: Brief) -> None:
    await wanted.wait_until(lambda now: now.brief != brief)


async def _other_microphone(wanted: Watched[Assignment], held: Microphone | None) -> None:
    await wanted.wait_until(lambda now: now.microphone is not held)
