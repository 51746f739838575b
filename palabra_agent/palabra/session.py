"""Palabra sessions as the interpretation wants them: opened with a brief, ended on every exit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from palabra_agent.audio.pcm import Pcm
from palabra_agent.completion import complete, finish
from palabra_agent.errors import PalabraError, SessionLost
from palabra_agent.failures import single_failure
from palabra_agent.interpretation.ports import (
    Brief,
    BriefFollowed,
    FrameSource,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    Transcript,
    UpdateRefused,
)
from palabra_agent.languages import LanguageCode, match
from palabra_agent.palabra.api import PalabraApi, SessionTicket
from palabra_agent.palabra.messages import encode
from palabra_agent.palabra.protocol import (
    Meaning,
    Noted,
    Over,
    Ready,
    Refused,
    Task,
    TaskConversation,
)
from palabra_agent.palabra.transport import (
    Disconnected,
    MessageReceived,
    PeerArrived,
    Resumed,
    TrackEnded,
    TrackStarted,
    Transport,
    TransportEvent,
)
from palabra_agent.palabra.webrtc import join

_READY_SECONDS: Final = 30.0
_END_SECONDS: Final = 0.5
_DELETE_SECONDS: Final = 1.4
"""Together with the leaving between them under the 2.5 s that a job has to end."""

TaskMaker: TypeAlias = Callable[[Brief], Task]
"""Makes the settings of a task from what is wanted."""

logger = logging.getLogger(__name__)


class PalabraSession:
    """One joined session, from its first command to its last."""

    def __init__(self, transport: Transport, make_task: TaskMaker) -> None:
        self._transport = transport
        self._make_task = make_task
        self._conversation = TaskConversation()
        self._targets: tuple[LanguageCode, ...] = ()
        self._wake = asyncio.Event()
        self._stream = self._read()
        self._early: list[SessionEvent] = []
        self._asides: list[SessionEvent] = []
        """What is known of a brief at once; told with the next event, which is soon."""

    async def write(self, frame: Pcm) -> None:
        """Send a frame of the speaker's voice."""
        await self._transport.write(frame)

    def rebrief(self, brief: Brief) -> None:
        """Ask for something else from now on; the last brief wins."""
        self._targets = tuple(dict.fromkeys((*brief.targets, *self._targets)))
        for meaning in self._conversation.wish(self._make_task(brief)):
            self._asides += self._pass_on(meaning)

        self._wake.set()

    async def until_ready(self) -> None:
        """Wait until the task runs.

        Raises:
            TaskRejected: Palabra refused its settings.
            SessionLost: The session ended, or was not ready in time.
        """
        try:
            async with asyncio.timeout(_READY_SECONDS):
                async for event in self._stream:
                    if isinstance(event, BriefFollowed):
                        return

                    self._early.append(event)
                raise SessionLost("Palabra ended it")
        except TimeoutError:
            raise SessionLost(f"Palabra was not ready within {_READY_SECONDS:g} s") from None

    async def events(self) -> AsyncIterator[SessionEvent]:
        """Everything that the session tells, in order; call it once, after `until_ready`.

        Raises:
            SessionLost: The session ended without us asking for it.
        """
        while self._early:
            yield self._early.pop(0)

        async for event in self._stream:
            yield event

    async def converse(self) -> None:
        """Send commands as they become due, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            command = self._conversation.next_command(loop.time())
            if command is not None:
                logger.debug("> %s", command.name)
                await self._transport.send(encode(command.name, command.data))
                continue

            self._wake.clear()
            try:
                async with asyncio.timeout_at(self._conversation.next_time()):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def end(self) -> None:
        """End the task at once. Best effort: whoever deletes the session ends it as well."""
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._transport.send(encode("end_task", {"force": True}))
        except (TimeoutError, SessionLost):
            logger.info("a task could not be ended, its session is deleted")

    async def _read(self) -> AsyncGenerator[SessionEvent]:
        async for happened in self._transport.events():
            events = [*self._asides, *self._understand(happened)]
            self._asides.clear()
            for event in events:
                yield event

    def _understand(self, happened: TransportEvent) -> list[SessionEvent]:
        match happened:
            case MessageReceived(message):
                now = asyncio.get_running_loop().time()
                meanings = self._conversation.receive(message, now)
                self._wake.set()
                return [event for meaning in meanings for event in self._pass_on(meaning)]
            case TrackStarted(language, source):
                return self._started(language, source)
            case TrackEnded(source):
                return [InterpretationEnded(source)]
            case PeerArrived():
                self._conversation.repeat()
            case Resumed():
                self._conversation.ask_again()
            case Disconnected(reason):
                raise SessionLost(reason)

        self._wake.set()
        return []

    def _pass_on(self, meaning: Meaning) -> list[SessionEvent]:
        match meaning:
            case Transcript():
                return [self._named_as_asked(meaning)]
            case Ready():
                return [BriefFollowed()]
            case Refused(error):
                return [UpdateRefused(str(error))]
            case Over(error):
                raise error
            case Noted(what, code):
                logger.info("palabra sent a notice", extra={"kind": what, "code": code})
                return []

    def _started(self, language: str, source: FrameSource) -> list[SessionEvent]:
        code = match(language, self._targets)
        return [InterpretationStarted(code, source)] if code is not None else []

    def _named_as_asked(self, transcript: Transcript) -> Transcript:
        """Palabra may answer `en-us` where `en` was asked for; ours is the room's code."""
        code = match(transcript.language, self._targets) if transcript.is_translation else None
        return replace(transcript, language=code) if code is not None else transcript


@dataclass(frozen=True, slots=True)
class PalabraSessions:
    """Opens sessions for one room's settings."""

    api: PalabraApi
    make_task: TaskMaker

    @asynccontextmanager
    async def open(self, brief: Brief) -> AsyncGenerator[PalabraSession]:
        """Hold a session for the length of a block; it is ended and deleted on every exit.

        Raises:
            PalabraError: It could not be opened; `retryable` says whether to try again.
        """
        with single_failure():
            ticket = await complete(
                self.api.create_session(), grace_seconds=_DELETE_SECONDS, undo=self._delete
            )
            try:
                async with join(ticket) as transport, self._talk(transport, brief) as session:
                    yield session
            finally:
                await finish(self._delete(ticket), seconds=_DELETE_SECONDS)

    @asynccontextmanager
    async def _talk(self, transport: Transport, brief: Brief) -> AsyncGenerator[PalabraSession]:
        """Have a task running in a joined session for the length of a block."""
        async with asyncio.TaskGroup() as group:
            session = PalabraSession(transport, self.make_task)
            session.rebrief(brief)
            talking = group.create_task(session.converse(), name="commands")
            try:
                await session.until_ready()
                logger.info("palabra session opened")
                yield session
            finally:
                talking.cancel()
                await finish(session.end(), seconds=_END_SECONDS)

    async def _delete(self, ticket: SessionTicket) -> None:
        try:
            async with asyncio.timeout(_DELETE_SECONDS):
                await self.api.delete_session(ticket.id)
            logger.info("palabra session deleted")
        except (TimeoutError, PalabraError) as error:
            # it ends by itself a minute after we left it
            logger.warning("a palabra session was not deleted", extra={"reason": str(error)})
