"""One joined Palabra session: voice goes in, words and tracks come out, commands go when they may.

The task is paused in long silences, as Palabra charges for them, and the session tells when Palabra
answers speech with nothing at all.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Final

from palabra_agent.audio.frame import Frame
from palabra_agent.errors import SessionLost, WrongState
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.event_stream import MOST_WAITING
from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import ConversationEvent, OperatorNotice, SessionEnded
from palabra_agent.palabra.protocol.messages import Message, QueueLevels
from palabra_agent.palabra.protocol.task_state import SessionState, TaskState
from palabra_agent.palabra.session.activity import (
    Activity,
    BillingMeter,
    Interruption,
    Observation,
    SilenceLimits,
)
from palabra_agent.palabra.session.events import SessionEvents
from palabra_agent.palabra.session.microphone import MicrophoneBuffer
from palabra_agent.palabra.task.consent import asks_to_clone
from palabra_agent.palabra.transports.port import (
    Disconnected,
    Interrupted,
    MessageReceived,
    PeerArrived,
    Resumed,
    Transport,
    TransportEvent,
)
from palabra_agent.session import (
    Brief,
    BriefFollowed,
    FellSilent,
    InterpretationEnded,
    InterpretationStarted,
    SessionEvent,
    SpokeAgain,
    Transcript,
    UpdateRefused,
)

END_SECONDS: Final = 0.5
"""Longest time for ending the task: deleting the session ends it as well."""

_QUEUE_SECONDS: Final = 3.0
"""Palabra tells about once a second how much waits to be spoken; what is older says nothing."""

_MOST_QUEUED_MS: Final = 600_000
"""No queue may hold more; a larger number is none."""

logger = logging.getLogger(__name__)


class PalabraSession:
    """One joined session, from its first command to its last."""

    def __init__(
        self,
        transport: Transport,
        make_task: Callable[[Brief], Task],
        *,
        limits: SilenceLimits | None = None,
        state: TaskState | None = None,
        on_useless: Callable[[], None] = lambda: None,
    ) -> None:
        """Make a session; `run` must run beside whatever is done with it.

        Args:
            transport: Where it was joined.
            make_task: Makes the settings of its task.
            limits: On silence; by default it never pauses.
            state: Of the session; by default joined, with nothing asked for.
            on_useless: Called when the session turns out to be connected and of no use.
        """
        self._transport = transport
        self._make_task = make_task
        self._on_useless = on_useless
        self._conversation = TaskConversation(state)
        self._microphone = MicrophoneBuffer(lambda: transport.waiting_ms)
        self._activity = Activity(limits or SilenceLimits(), self._now())
        self._meter = BillingMeter()
        self._interruption = Interruption()
        self._events = SessionEvents(self._hear_translation)
        self._before_ready: list[SessionEvent] = []
        """Events that came while `until_ready` waited, for `events` to tell first."""
        self._asked_at: float | None = None
        """The time at which Palabra was last told to run a task that did not run."""
        self._queued: Mapping[LanguageCode, int] = {}
        """Milliseconds, as Palabra told last."""
        self._queued_at = -math.inf
        self._is_finishing = False
        self.is_paused = False
        """True between `pause` and `resume`, whatever Palabra was told of it yet."""
        self._wake = asyncio.Event()
        """Set where commands and deadlines may have changed."""

    @property
    def state(self) -> SessionState:
        """The state of the session and its task."""
        return self._conversation.state

    @property
    def billed_seconds(self) -> float:
        """The seconds for which its task ran, by our clock."""
        return self._meter.seconds(self._now())

    @property
    def queued_seconds(self) -> Mapping[LanguageCode, float]:
        """The speech that Palabra has still to speak, by language, as far as it told lately.

        It tells about once a second; what was spoken since is left out.
        """
        told, since = self._queued, self._now() - self._queued_at
        if since > _QUEUE_SECONDS:
            return {}

        return {
            code: max(0.0, level / 1000 - since)
            for code, level in told.items()
            if 0 <= level <= _MOST_QUEUED_MS
        }

    def write(self, frame: Frame) -> None:
        """Send a frame of the speaker's voice, in real time; never waits.

        In a pause the first word resumes the task; it is held until Palabra was told to hear again.
        Between `pause` and `resume` what is written is dropped.
        """
        if self.is_paused:
            return

        observations = self._activity.hear(frame, self._now())
        if self._activity.is_paused:
            self._microphone.remember(frame)
        else:
            self._microphone.write(frame)

        for observation in observations:
            self._heed(observation)

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker is muted: then the task is paused sooner."""
        self._activity.mute(is_muted=is_muted)
        self._wake.set()

    def pause(self) -> None:
        """Let Palabra hear and charge nothing until `resume`; what is written till then is dropped.

        What was said before is interpreted to its end: the pause, and that of the bill, begins some
        two seconds after the last of it, or ten where a sentence is never confirmed. Another brief
        waits for `resume`.

        Raises:
            WrongState: The session is paused already, was asked to finish, or is over.
        """
        self._check_goes_on("paused")
        if self.is_paused:
            raise WrongState("paused", "it is already")

        self.is_paused = True
        self._activity.hold()
        self._wake.set()

    def resume(self) -> None:
        """End a pause; what is written from now on is heard, held until Palabra was told so.

        Raises:
            WrongState: The session is not paused by `pause`, was asked to finish, or is over.
        """
        self._check_goes_on("resumed")
        if not self.is_paused:
            raise WrongState("resumed", "it is not paused")

        self.is_paused = False
        self._microphone.forget()
        self._activity.release(self._now())
        self._conversation.resume()
        self._wake.set()

    def rebrief(self, brief: Brief) -> None:
        """Ask for something else from now on; the last brief wins."""
        self._events.follow(brief)
        self._take(self._conversation.wish(self._make_task(brief)))
        self._wake.set()

    def interrupt(self, languages: Collection[LanguageCode] = ()) -> None:
        """Drop the phrase under way, and what of it waits to be spoken, in some or all languages.

        Whether the sentence that sounds stops at once is up to Palabra.
        """
        self._conversation.enqueue(commands.interrupt_task(languages))
        self._transport.hush(languages)
        self._wake.set()

    def speak(self, text: str, language: LanguageCode, *, translate: bool = False) -> None:
        """Speak a text in a target language; or translate it from `language` into all of them.

        It ends a pause that silence brought about, as a word does.

        Raises:
            ConfigError: The text or its language cannot be spoken, or too many texts wait already.
        """
        targets = self._events.brief.targets
        self._conversation.enqueue(
            commands.tts_task(text, language, targets=targets, translate=translate)
        )
        if not self.is_paused:
            self._activity.wake(self._now())
            self._conversation.resume()
        self._wake.set()

    def finish(self) -> None:
        """Let everything that was said be interpreted, then end; `events` ends with it.

        What was written is still sent, whether or not Palabra hears at the moment.
        """
        self._is_finishing = True
        self._microphone.close()

    async def until_ready(self) -> None:
        """Wait until the task runs.

        Raises:
            TaskRejected: Palabra refused its settings.
            AccessDenied: The credentials or the balance allow none.
            SessionLost: The session ended, or was not ready in time.
        """
        async for event in self._events.events():
            if isinstance(event, BriefFollowed):
                return

            if len(self._before_ready) < MOST_WAITING:
                self._before_ready.append(event)

        raise SessionLost("Palabra ended it")

    async def events(self) -> AsyncIterator[SessionEvent]:
        """Iterate over all that the session tells, in order; call it once, after `until_ready`.

        Ends by itself only where the session was asked to finish.

        Raises:
            SessionLost: The session ended without us asking for it.
        """
        while self._before_ready:
            yield self._before_ready.pop(0)

        async for event in self._events.events():
            yield event

    async def run(self) -> None:
        """Read, command and send the voice, until cancelled.

        Raises:
            SessionLost: A command could not be sent.
        """
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read(), name="messages")
                group.create_task(self._send_commands(), name="commands")
                group.create_task(self._keep_deadlines(), name="deadlines")
                group.create_task(self._send_voice(), name="voice")
        finally:
            self._account()

    async def end(self) -> None:
        """End the task at once. Best effort: deleting the session ends it as well."""
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

    async def _read(self) -> None:
        """Take in what happens on the transport, until the session is over."""
        async for event in self._transport.events():
            self._interruption.receive(self._now())
            self._take_in(event)
            self._observe()
            self._wake.set()
            if self._conversation.is_over:
                return

        self._lose("Palabra ended it")
        self._wake.set()

    async def _send_commands(self) -> None:
        """Send commands as they become due."""
        while True:
            was_heard = self._conversation.is_heard
            command = self._conversation.next_command(self._now())
            self._observe()
            if command is None:
                await self._sleep_until(self._conversation.next_time())
                continue

            if command.name == "set_task" and not was_heard:
                self._asked_at = self._now()

            logger.debug("> %s", command.name)
            self._wake.set()
            await self._transport.send(command.encode())
            self._conversation.go_out()
            if command.name == "tts_task":
                self._activity.speak(self._now())
            self._observe()

    async def _keep_deadlines(self) -> None:
        """Do what is due, also while a command is on its way for long."""
        while True:
            self._pause_if_due()
            self._give_up_if_due()
            self._miss_connection_if_due()
            self._observe()
            due = min(
                self._pause_due_at(), self._conversation.gives_up_at, self._interruption.ends_at
            )
            await self._sleep_until(None if math.isinf(due) else due)

    async def _send_voice(self) -> None:
        """Send the voice whenever Palabra hears it, until all is sent; then finish."""
        while (frame := await self._microphone.next_frame()) is not None:
            await self._transport.write(frame)
            for observation in self._activity.send(frame, self._now()):
                self._heed(observation)

        await self._transport.flush()
        self._conversation.finish()
        self._wake.set()

    async def _sleep_until(self, due: float | None) -> None:
        """Wait for a time, or until something happens; what happened before has been heeded."""
        self._wake.clear()
        try:
            async with asyncio.timeout_at(due):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take_in(self, event: TransportEvent) -> None:
        match event:
            case MessageReceived(message):
                self._receive(message)
            case InterpretationStarted(language, source):
                self._events.start_track(language, source)
            case InterpretationEnded(source):
                # a task that is gone says nothing by itself, but is not found
                if self._events.end_track(source):
                    self._conversation.miss_track()
            case PeerArrived():
                self._conversation.repeat()
            case Interrupted():
                self._interruption.begin(self._now())
            case Resumed():
                self._interruption.end()
                self._conversation.ask_again()
                self._events.tell(SpokeAgain())
            case Disconnected(reason, was_useless, was_excessive):
                if was_useless:
                    self._on_useless()
                self._take(self._conversation.lose(reason, is_for_people=was_excessive))

    def _receive(self, message: Message) -> None:
        if isinstance(message, QueueLevels):
            self._queued = self._events.by_target(message.levels_ms)
            self._queued_at = self._now()
            if any(message.levels_ms.values()):
                self._trust(was_suspected=self._activity.answer())

        self._take(self._conversation.receive(message, self._now()))

    def _take(self, events: Iterable[ConversationEvent]) -> None:
        for event in events:
            match event:
                case SessionEnded(error):
                    self._events.end(error)
                case OperatorNotice():
                    self._events.log(event)
                case Transcript():
                    self._trust(was_suspected=self._activity.read(event, self._now()))
                    self._events.tell(event)
                case UpdateRefused():
                    self._events.tell(event)
                    self._end_forbidden_cloning()
                case _:
                    self._events.tell(event)

    def _end_forbidden_cloning(self) -> None:
        """End where a task that clones would run on although the speaker agrees no more."""
        running = self._conversation.running_task
        if (
            running is not None
            and not self._events.brief.may_clone
            and asks_to_clone(dict(running))
        ):
            self._lose("Palabra refused the change that ends voice cloning")

    def _check_goes_on(self, wanted: str) -> None:
        if self._conversation.is_over:
            raise WrongState(wanted, "it is over")
        if self._is_finishing:
            raise WrongState(wanted, "it was asked to finish")

    def _lose(self, reason: str) -> None:
        self._take(self._conversation.lose(reason))

    def _hear_translation(self) -> None:
        self._trust(was_suspected=self._activity.listen(self._now()))
        self._conversation.hear_tail(self._now())

    def _trust(self, *, was_suspected: bool) -> None:
        if was_suspected:
            self._events.tell(SpokeAgain())

    def _heed(self, observation: Observation) -> None:
        match observation:
            case Observation.FIRST_WORD:
                self._conversation.resume()
            case Observation.UNANSWERED:
                # a task that is gone says nothing by itself, but is not found
                self._conversation.ask_again()
            case Observation.SUSPICIOUS:
                self._on_useless()
                self._events.tell(FellSilent())

        self._wake.set()

    def _pause_due_at(self) -> float:
        is_running = self.state is SessionState.RUNNING
        return self._activity.pause_due_at() if is_running else math.inf

    def _pause_if_due(self) -> None:
        if self._pause_due_at() <= self._now():
            self._activity.pause()
            self._conversation.pause()
            self._wake.set()
            logger.debug("the speaker is silent: the task is paused")

    def _give_up_if_due(self) -> None:
        events = self._conversation.give_up(self._now())
        if not events:
            return

        if not self._conversation.was_answered:
            self._on_useless()
        self._take(events)
        self._wake.set()

    def _miss_connection_if_due(self) -> None:
        """Have a new session made while LiveKit still tries to get a lost connection back."""
        if self._interruption.ends_at <= self._now():
            self._interruption.end()
            self._events.tell(FellSilent())

    def _observe(self) -> None:
        """Follow whether Palabra hears, and whether it charges: it does for the tail as well."""
        now, is_heard = self._now(), self._conversation.is_heard
        is_charged = self._conversation.is_charged
        is_known = self.state is not SessionState.RESUMING
        if not is_heard and not is_known:
            self._meter.take_back()
        self._meter.observe(is_running=is_charged, now=now, since=self._asked_at)
        is_news = is_heard != self._microphone.is_listening
        if is_news:
            self._transport.set_listening(is_listening=is_heard)

        self._microphone.set_listening(is_listening=is_heard, is_known=is_known)
        if is_news and is_heard:
            self._activity.resume(now)

    def _account(self) -> None:
        """Log where the sound went and what it cost: every lost millisecond counts."""
        self._observe()
        account = asdict(self._microphone.statistics())
        account["billed_seconds"] = round(self.billed_seconds, 3)
        account["unread_messages"] = self._events.unread
        account["notices"] = self._events.notices
        logger.info("uplink closed", extra=account)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
