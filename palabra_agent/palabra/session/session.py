"""One joined Palabra session: voice goes in, words and tracks come out, commands go when they may.

It sleeps in long silences, so that nobody pays for them, and says so when it answers speech with
nothing at all.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Collection
from typing import Final, TypeAlias

from palabra_agent.audio.frame import Frame
from palabra_agent.errors import SessionLost
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.task_state import SessionState, TaskState
from palabra_agent.palabra.session.incoming import Incoming
from palabra_agent.palabra.session.uplink import Alarms, Habits, Uplink
from palabra_agent.palabra.transports.port import Transport
from palabra_agent.session import Brief, BriefFollowed, FellSilent, SessionEvent, SpokeAgain

END_SECONDS: Final = 0.5
"""How long saying good-bye may take: whoever deletes the session ends it as well."""

TaskMaker: TypeAlias = Callable[[Brief], Task]
"""Makes the settings of a task from what is wanted."""

logger = logging.getLogger(__name__)


class PalabraSession:
    """One joined session, from its first command to its last."""

    def __init__(
        self,
        transport: Transport,
        make_task: TaskMaker,
        *,
        habits: Habits | None = None,
        state: TaskState | None = None,
        on_silence: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a session; `run` must run beside whatever is done with it.

        Args:
            transport: Where it was joined.
            make_task: Makes the settings of its task.
            habits: How it behaves by itself; by default it never sleeps.
            state: Of the session; by default joined, with nothing asked for.
            on_silence: Called when the session turns out to be connected and of no use.
        """
        self._transport = transport
        self._make_task = make_task
        self._conversation = TaskConversation(state)
        self._on_silence = on_silence
        alarms = Alarms(self._doubt, self._suspect, self._trust)
        self._uplink = Uplink(transport, habits or Habits(), alarms, self._now())
        self._incoming = Incoming(self._conversation, self._uplink, on_silence)
        self._asked_at: float | None = None
        """When Palabra was last told to run a task that did not run."""
        self._wake = asyncio.Event()
        self._early: list[SessionEvent] = []

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        return self._conversation.state

    @property
    def billed_seconds(self) -> float:
        """For how long its task ran, by our clock."""
        return self._uplink.billed_seconds(self._now())

    def write(self, frame: Frame) -> None:
        """Send a frame of the speaker's voice, in real time; never waits.

        In a pause the first word resumes the task; it is held until Palabra hears again.
        """
        if self._uplink.write(frame, self._now()):
            self._conversation.resume()
            self._wake.set()

    def mute(self, *, is_muted: bool) -> None:
        """Tell whether the speaker has muted themselves: then it sleeps sooner."""
        self._uplink.mute(is_muted=is_muted)
        self._wake.set()

    def rebrief(self, brief: Brief) -> None:
        """Ask for something else from now on; the last brief wins."""
        self._incoming.follow(brief)
        self._incoming.take(self._conversation.wish(self._make_task(brief)))
        self._wake.set()

    def interrupt(self, languages: Collection[LanguageCode] = ()) -> None:
        """Drop the phrase under way, and what of it waits to be spoken, in some or all languages.

        Whether the sentence that sounds stops at once is up to Palabra.
        """
        self._conversation.say(commands.interrupt_task(languages))
        self._transport.hush(languages)
        self._wake.set()

    def speak(self, text: str, language: LanguageCode, *, translate: bool = False) -> None:
        """Speak a text in a target language; or translate it from `language` into all of them.

        Raises:
            ConfigError: The text or its language cannot be spoken, or too many texts wait already.
        """
        targets = self._incoming.brief.targets
        self._conversation.say(
            commands.tts_task(text, language, targets=targets, translate=translate)
        )
        self._wake.set()

    def finish(self) -> None:
        """Let everything that was said be interpreted, then end; `events` ends with it.

        What was written is still sent, whether or not Palabra hears at the moment.
        """
        self._uplink.close()

    async def until_ready(self) -> None:
        """Wait until the task runs.

        Raises:
            TaskRejected: Palabra refused its settings.
            AccessDenied: The credentials or the balance allow none.
            SessionLost: The session ended, or was not ready in time.
        """
        async for event in self._incoming.stream.events():
            if isinstance(event, BriefFollowed):
                return

            self._early.append(event)

        raise SessionLost("Palabra ended it")

    async def events(self) -> AsyncIterator[SessionEvent]:
        """Everything that the session tells, in order; call it once, after `until_ready`.

        Ends by itself only where the session was asked to finish.

        Raises:
            SessionLost: The session ended without us asking for it.
        """
        while self._early:
            yield self._early.pop(0)

        async for event in self._incoming.stream.events():
            yield event

    async def run(self) -> None:
        """Read, command and send the voice, until cancelled.

        Raises:
            SessionLost: A command could not be sent.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name="messages")
                group.create_task(self._converse(), name="commands")
                group.create_task(self._keep_time(), name="deadlines")
                group.create_task(self._send_voice(), name="voice")
        finally:
            self._account()

    async def end(self) -> None:
        """End the task at once. Best effort: whoever deletes the session ends it as well."""
        may_end = self._conversation.may_end(self._now())
        self._conversation.leave()
        self._observe()
        if not may_end:
            return

        try:
            async with asyncio.timeout(END_SECONDS):
                await self._transport.send(commands.end_task(force=True).encode())
        except (TimeoutError, SessionLost):
            logger.info("a task could not be ended, its session is deleted")

    async def _converse(self) -> None:
        """Send commands as they become due."""
        while True:
            command = self._conversation.next_command(self._now())
            self._observe()
            if command is None:
                await self._sleep_until(self._conversation.next_time())
                continue

            if command.name == "set_task" and not self._conversation.is_charged:
                self._asked_at = self._now()

            logger.debug("> %s", command.name)
            self._wake.set()
            await self._transport.send(command.encode())

    async def _keep_time(self) -> None:
        """Do what is due, also while a command is on its way for long."""
        while True:
            self._fall_asleep()
            self._give_up()
            self._incoming.miss()
            self._observe()
            due = min(
                self._uplink.bedtime(), self._conversation.gives_up_at, self._incoming.misses_at
            )
            await self._sleep_until(None if math.isinf(due) else due)

    async def _sleep_until(self, due: float | None) -> None:
        """Wait for a time, or until something happens; what happened before has been heeded."""
        self._wake.clear()
        try:
            async with asyncio.timeout_at(due):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _send_voice(self) -> None:
        await self._uplink.send()
        self._conversation.finish()
        self._wake.set()

    def _fall_asleep(self) -> None:
        if self._uplink.bedtime() <= self._now():
            self._uplink.sleep()
            self._conversation.pause()
            self._wake.set()
            logger.debug("nobody speaks: the task is paused")

    def _give_up(self) -> None:
        events = self._conversation.give_up(self._now())
        if not events:
            return

        if not self._conversation.was_answered:
            self._on_silence()
        self._incoming.take(events)
        self._wake.set()

    def _doubt(self) -> None:
        """Ask for the task: one that is gone says nothing by itself, but is not found."""
        self._conversation.ask_again()
        self._wake.set()

    def _suspect(self) -> None:
        self._on_silence()
        self._incoming.stream.tell(FellSilent())

    def _trust(self) -> None:
        self._incoming.stream.tell(SpokeAgain())

    async def _read(self) -> None:
        """Understand what happens, until the session is over."""
        async for happened in self._transport.events():
            self._incoming.understand(happened)
            self._observe()
            self._wake.set()
            if self._conversation.is_over:
                return

        self._incoming.lose("Palabra ended it")
        self._wake.set()

    def _observe(self) -> None:
        """Let everybody know who depends on whether Palabra hears."""
        self._uplink.observe(
            is_heard=self._conversation.is_heard,
            is_charged=self._conversation.is_charged,
            asked_at=self._asked_at,
            now=self._now(),
        )

    def _account(self) -> None:
        self._observe()
        account = self._uplink.account(self._now())
        logger.info("uplink closed", extra=account | {"unread_messages": self._incoming.unread})

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
