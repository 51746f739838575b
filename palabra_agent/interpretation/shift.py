"""One Palabra session at work for a speaker: their voice goes in, words and sound come out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from palabra_agent.audio.frame import Frame, FrameSource
from palabra_agent.concurrency import Watched, leaves
from palabra_agent.errors import PalabraError, SessionLost
from palabra_agent.interpretation.channel import LanguageChannel
from palabra_agent.interpretation.downlinks import Downlinks
from palabra_agent.interpretation.ports import Microphone
from palabra_agent.languages import LanguageCode
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    Session,
    SessionOpener,
    SpokeAgain,
    Transcript,
    UpdateRefused,
    VoiceMissing,
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is wanted for a speaker right now."""

    brief: Brief
    microphone: Microphone | None
    """None while they are away for a moment."""
    is_muted: bool = False
    """Whether they have muted themselves."""
    task_revision: int = 0
    """Another number where the session's task is to be made anew, whatever the brief."""

    def asks_the_same(self, other: Assignment) -> bool:
        """Whether a session that could not do the one could not do the other."""
        return (self.brief, self.task_revision) == (other.brief, other.task_revision)


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where the interpretation of a speaker goes."""

    channels: Mapping[LanguageCode, LanguageChannel]
    on_transcript: Callable[[Transcript], None]
    on_trouble: Callable[[PalabraError | UpdateRefused], None]
    on_ready: Callable[[], None]
    on_billed: Callable[[float], None]
    """Told at the end of every session for how many seconds it was charged."""
    on_relieved: Callable[[], None]
    """Told when a session that had fallen silent was replaced."""
    on_voice: Callable[[Frame], None]
    """Given every frame of the speaker's voice; must return at once."""
    on_voice_missing: Callable[[str], None]
    """Told the id of a voice that Palabra does not have."""


class Shift:
    """One session's time with a speaker, from before it is opened until it has ended."""

    def __init__(
        self,
        wanted: Watched[Assignment],
        open_session: SessionOpener,
        outlets: Outlets,
        downlinks: Downlinks,
        on_change: Callable[[], None],
    ) -> None:
        """Plan a shift; `work` does it.

        Args:
            wanted: What is wanted, at any time.
            open_session: Opens the session.
            outlets: Where its interpretation goes.
            downlinks: Where its sound goes; it may be heard when the shift is over.
            on_change: Called when one of the attributes has changed.
        """
        self.is_ready = False
        """Whether it is interpreting."""
        self.is_silent = False
        """Whether nothing at all comes from its session."""
        self.was_answered = False
        """Whether anybody's words came out of it."""
        self.failure: PalabraError | None = None
        """What ended it, once it has ended."""
        self._wanted = wanted
        self._open_session = open_session
        self._outlets = outlets
        self._downlinks = downlinks
        self._sources: set[FrameSource] = set()
        self._on_change = on_change

    async def work(self) -> None:
        """Hold a session for as long as it lives, or until cancelled."""
        failure: PalabraError = SessionLost("Palabra ended it")
        try:
            async with self._open_session(self._wanted.value.brief) as session:
                try:
                    await self._interpret(session)
                    raise failure
                finally:
                    self._outlets.on_billed(session.billed_seconds)
                    for source in self._sources:
                        self._downlinks.end(source)
        except* PalabraError as ended:
            errors = leaves(ended)
            # what cannot get better decides
            failure = next((error for error in errors if not error.retryable), errors[0])

        _heed_cancellation()
        self.failure = failure
        self._on_change()

    async def _interpret(self, session: Session) -> None:
        self.is_ready = True
        self._on_change()
        self._outlets.on_ready()
        async with asyncio.TaskGroup() as group:
            helping = [
                group.create_task(self._send_voice(session), name="uplink"),
                group.create_task(_brief(self._wanted, session), name="brief"),
            ]
            await self._listen(session)
            for task in helping:
                task.cancel()

    async def _listen(self, session: Session) -> None:
        """Follow what the session tells; each translated track has a downlink while it is there."""
        async for event in session.events():
            match event:
                case Transcript():
                    self.was_answered = True
                    self._outlets.on_transcript(event)
                case BriefFollowed():
                    self._outlets.on_ready()
                case UpdateRefused():
                    self._outlets.on_trouble(event)
                case VoiceMissing(voice_id):
                    self._outlets.on_voice_missing(voice_id)
                case FellSilent() | SpokeAgain():
                    self.is_silent = isinstance(event, FellSilent)
                    self._on_change()
                case InterpretationStarted(language, source):
                    self._sources.add(source)
                    self._downlinks.begin(language, source)
                case InterpretationEnded(source):
                    self._downlinks.end(source)

    async def _send_voice(self, session: Session) -> None:
        """Send the speaker's voice, from whichever microphone they have."""
        while True:
            now = await self._wanted.wait_until(lambda it: it.microphone is not None)
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(now.microphone, session), name="send voice")
                await _other_microphone(self._wanted, now.microphone)
                sending.cancel()

    async def _send(self, microphone: Microphone | None, session: Session) -> None:
        if microphone is None:
            return

        async with microphone.open_frames() as frames:
            async for frame in frames:
                session.write(frame)
                self._outlets.on_voice(frame)


async def _brief(wanted: Watched[Assignment], session: Session) -> None:
    async for now in wanted.changes():
        session.rebrief(now.brief)
        session.mute(is_muted=now.is_muted)


def _heed_cancellation() -> None:
    """Stop here if we are being cancelled.

    A task group that fails while it is cancelled raises its errors, and the cancellation is lost in
    them.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _other_microphone(wanted: Watched[Assignment], held: Microphone | None) -> None:
    await wanted.wait_until(lambda now: now.microphone is not held)
