"""One session: what happens to it, who is there, and when it ends; decided without I/O.

    created → connected → running ⇄ paused → ended → deleted

Whoever runs a session tells it what happens and what time it is, and carries out what it wants:
messages in its outbox, tracks offered, speech played, and an end when it is over.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.message_faults import MessageFaults
from palabra_emulator.interpreting.pipeline import PendingTranslation, Pipeline
from palabra_emulator.interpreting.recording import open_recording
from palabra_emulator.interpreting.voices import session_marker_hz
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message, MessageQueue, TaskEvent
from palabra_emulator.session.task import Task
from palabra_emulator.transports.ports import RoomNames, TransportKind


@dataclass(frozen=True, slots=True)
class SessionIdentity:
    """What never changes about a session."""

    session_id: str
    number: int
    """Counted from 0 since the emulator started."""
    place: RoomNames
    intent: str

    @property
    def marker_hz(self) -> int:
        """The pitch that its speech carries beside the language's."""
        return session_marker_hz(self.number)


def new_identity(number: int, intent: str) -> SessionIdentity:
    """A session's names: a dotted id, which clients must take as it is, and a room of 8 hex."""
    place = RoomNames(
        room=secrets.token_hex(4),
        bot=f"palabra_translator_{secrets.token_hex(4)}",
        client=f"publisher_{secrets.token_hex(4)}",
    )
    session_id = f"{uuid.uuid4()}.{secrets.token_hex(4)}.{secrets.token_hex(4)}"
    return SessionIdentity(session_id, number, place, intent)


class Presence:
    """The comings and goings of one client."""

    def __init__(self, join_by: float) -> None:
        self.join_by = join_by
        """Until when a client that never came is waited for."""
        self._is_present = False
        self._away_since: float | None = None

    @property
    def has_joined(self) -> bool:
        """Whether the client was ever there."""
        return self._is_present or self._away_since is not None

    def join(self) -> None:
        """The client is there, for the first time or again."""
        self._is_present = True
        self._away_since = None

    def leave(self, now: float) -> bool:
        """The client is gone; false if it was not there."""
        if not self._is_present:
            return False

        self._is_present = False
        self._away_since = now
        return True

    def given_up(self, now: float, grace_seconds: float) -> str | None:
        """Why the client is not waited for any longer, if so."""
        if not self.has_joined:
            return "never joined" if now >= self.join_by else None
        if self._away_since is not None and now - self._away_since >= grace_seconds:
            return "client left"

        return None


class Tail:
    """Knows since when there is nothing left to say, and whether that is long enough."""

    def __init__(self) -> None:
        self.is_awaited = False
        """Whether the session ends with it."""
        self._quiet_since = 0.0
        self._wanted_seconds = 0.0

    def await_end(self, now: float, quiet_seconds: float) -> None:
        """End as soon as it has been quiet for so long from now on, or from the last speech on."""
        self.is_awaited = True
        self._quiet_since = now
        self._wanted_seconds = quiet_seconds

    def observe(self, now: float, *, is_drained: bool) -> bool:
        """Note whether anything is left; says whether the tail is over."""
        if not is_drained:
            self._quiet_since = now
            return False

        return self.is_awaited and now - self._quiet_since >= self._wanted_seconds


class Watchdog:
    """Measures how long input has been missing."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._fed_at = 0.0

    @property
    def complaint(self) -> str:
        """What the server says at the end."""
        return (
            f"No input audio received for {self._limit:g}s. "
            "Use the pause_task command for intentional pauses."
        )

    def feed(self, now: float) -> None:
        """Input has just arrived, or is expected from now on."""
        self._fed_at = now

    def is_starved(self, now: float) -> bool:
        """Whether input has been missing for too long; never with a limit of 0."""
        return 0 < self._limit <= now - self._fed_at


class Meter:
    """Counts the seconds between starts and stops."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self, now: float) -> None:
        """Count from now on, if it does not already."""
        if self._since is None:
            self._since = now

    def stop(self, now: float) -> None:
        """Count no longer."""
        self._before = self.seconds(now)
        self._since = None

    def seconds(self, now: float) -> float:
        """What was counted so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)


@dataclass(frozen=True, slots=True)
class Ending:
    """An end that has come."""

    reason: str
    last_words: tuple[Message, ...] = ()
    """What the client is told before."""


class Endings:
    """Watches over one session."""

    def __init__(self, options: EmulatorOptions, now: float) -> None:
        self.presence = Presence(now + options.unjoined_ttl_s)
        self.watchdog = Watchdog(options.watchdog_s)
        self.tail = Tail()
        self._options = options

    def due(self, now: float, *, is_listening: bool, is_drained: bool) -> Ending | None:
        """The end that has come by now, if any."""
        grace_seconds = 0.0 if self.tail.is_awaited else self._options.grace_s
        reason = self.presence.given_up(now, grace_seconds)
        if reason is not None:
            return Ending(reason)
        if is_listening and self.watchdog.is_starved(now):
            complaint = messages.error("SERVICE_TIMEOUT", self.watchdog.complaint)
            return Ending("service timeout", (complaint,))
        if self.tail.observe(now, is_drained=is_drained):
            return Ending("end_task", self._ends_of_stream())

        return None

    def _ends_of_stream(self) -> tuple[Message, ...]:
        name = self._options.eos_name
        names = ("eos", "end_of_stream") if name == "both" else (name,)
        return tuple(messages.end_of_stream(word) for word in names)


class Start:
    """The start of one session's task; may happen again when the task was lost."""

    def __init__(self, delay_seconds: float, faults: SessionFaults) -> None:
        self._delay_seconds = delay_seconds
        self._faults = faults
        self._due_at: float | None = None
        self._polls_left = 0

    def begin(self, now: float) -> None:
        """A task was accepted; another one while it starts changes nothing."""
        if self._due_at is not None:
            return

        stroke = self._faults.strike("command", {"F9"}, command="set_task")
        if stroke is None:
            self._due_at = now + self._delay_seconds
        elif stroke.variant == "late":
            self._due_at = now + stroke.delay_seconds
        else:
            self._due_at = math.inf
            self._polls_left = stroke.whole("polls") if stroke.variant == "polls" else 0

    def asked_in_vain(self, now: float) -> None:
        """The client was told that there is no task yet."""
        if self._polls_left and self._due_at is not None:
            self._polls_left -= 1
            if not self._polls_left:
                self._due_at = now

    def is_over(self, now: float) -> bool:
        """Whether the task is ready by now; true once per start."""
        if self._due_at is None or now < self._due_at:
            return False

        self._due_at = None
        return True


Levels: TypeAlias = Mapping[str, tuple[int, int]]
"""Per language: queue level and its maximum in ms."""


class LevelReports:
    """Posts the bare queue map, and the message of the same content to those who ask for it."""

    def __init__(self, hz: float, post: Callable[[Message], None]) -> None:
        self._period = 1 / hz if hz else None
        self._post = post
        self._due_at = 0.0

    def tick(
        self,
        now: float,
        levels: Callable[[float], Levels],
        task: Task | None,
        *,
        has_data_channel: bool,
    ) -> None:
        """Report when it is time; the map without a type goes through data channels alone."""
        if self._period is None or now < self._due_at:
            return

        self._due_at = now + self._period
        current = levels(now)
        if has_data_channel:
            self._post(messages.queue_map(current))
        if task is not None and "tts_buffer_stats" in task.allowed_messages:
            self._post(messages.tts_buffer_stats(current, time.time()))


State: TypeAlias = Literal["created", "connected", "running", "paused", "ended", "deleted"]

AFTERLIFE_SECONDS: Final = 60.0
"""How long an ended session is still known to the REST API."""


class Standing:
    """What can be seen of a session; the session itself, which changes it, is made of it."""

    def __init__(
        self,
        identity: SessionIdentity,
        options: EmulatorOptions,
        journal: Journal,
        clock: Callable[[], float],
    ) -> None:
        self.identity = identity
        self.state: State = "created"
        self.task: Task | None = None
        """The task as accepted last, ready or not."""
        self.end_reason: str | None = None
        self.created_at = self.updated_at = time.time()
        self.ended_at: float | None = None
        self._journal = journal
        self._clock = clock
        self._meter = Meter()
        self._endings = Endings(options, clock())

    @property
    def billed_seconds(self) -> float:
        """How long its task was running."""
        return self._meter.seconds(self._clock())

    @property
    def expires_at(self) -> float:
        """When its id becomes invalid, as things stand."""
        if self.ended_at is not None:
            return self.ended_at + AFTERLIFE_SECONDS
        if self.state == "created":
            return time.time() + self._endings.presence.join_by - self._clock()

        return time.time() + AFTERLIFE_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def is_ready(self) -> bool:
        """Whether it has a task that is up."""
        return self.state in {"running", "paused"}

    @property
    def is_listening(self) -> bool:
        """Whether sound is interpreted."""
        return self.state == "running" and not self._endings.tail.is_awaited

    @property
    def is_finishing(self) -> bool:
        """Whether it delivers its tail."""
        return self._endings.tail.is_awaited

    @property
    def wanted_tracks(self) -> tuple[str, ...]:
        """The languages to be heard."""
        task = self.task
        return task.targets if task is not None and task.has_speech and not self.is_over else ()

    def note(self, event: str, /, **data: object) -> None:
        """Write into the journal."""
        self._journal.add(self.identity.session_id, event, **data)

    def extend(self, seconds: float) -> None:
        """Wait longer for a client that has not come yet."""
        self._endings.presence.join_by = self._clock() + seconds
        self.updated_at = time.time()

    def _become(self, state: State) -> None:
        self.state = state
        self.updated_at = time.time()


_FAREWELL_SECONDS: Final = 0.26
"""Between the last message and the end of the connection, as observed on the live service."""


class EmulatedSession(Standing):
    """One session's mind; the clock is monotonic, timestamps are epoch seconds."""

    def __init__(
        self,
        identity: SessionIdentity,
        options: EmulatorOptions,
        script: Script,
        journal: Journal,
        *,
        injection: FaultInjector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(identity, options, journal, clock)
        self.faults = SessionFaults(
            identity.session_id, identity.number, injection or FaultInjector(journal, clock)
        )
        """What faults do to it."""
        self.outbox = MessageQueue(
            options.double_encode, options.seed + identity.number, MessageFaults(self.faults)
        )
        self.orders: asyncio.Queue[PendingTranslation] = asyncio.Queue()
        """Renderings whose speech is to be made."""
        self.tracks_changed = asyncio.Event()
        self.over = asyncio.Event()
        self.farewell_seconds = 0.0
        """How long the client may stay after the last message."""
        self.pipeline = Pipeline(
            options,
            script,
            post=self.outbox.post,
            note=self.note,
            order_speech=self.orders.put_nowait,
            seed=options.seed + identity.number,
        )
        self.recording = open_recording(options, f"{identity.number:03}-{identity.place.room}")
        self._options = options
        self._level_reports = LevelReports(options.queue_map_hz, self.outbox.post)
        self.start = Start(options.ready_delay_ms / 1000, self.faults)
        """When its task becomes ready."""

    @property
    def transport(self) -> TransportKind:
        """How its client is connected, or is expected."""
        return self.pipeline.transport

    def client_joined(self) -> None:
        """The client is there."""
        self._endings.presence.join()
        self.client_spoke()

    def client_spoke(self) -> None:
        """The client is connected; LiveKit may announce one that publishes nothing only later."""
        if self.state == "created":
            self._become("connected")
            self.note("connected")

    def client_left(self) -> None:
        """The client is gone: for good, unless it is back within the grace period."""
        if self._endings.presence.leave(self._clock()):
            self.note("disconnected")

    def hear(self, pcm: Pcm) -> None:
        """The client's sound."""
        if self.is_listening and not self.faults.is_deaf:
            self.recording.add(pcm)
            self.pipeline.hear(pcm, self._clock())

    def input_arrived(self) -> None:
        """Sound, silence included, has just arrived."""
        self._endings.watchdog.feed(self._clock())

    def follow(self, task: Task) -> TaskEvent | None:
        """Start, update or resume; says which, or nothing while it is still starting."""
        previous, self.task = self.task, task
        is_unchanged = previous is not None and previous.full == task.full
        self.pipeline.configure(task)
        if not is_unchanged:
            self.tracks_changed.set()
        if not self.is_ready:
            self.start.begin(self._clock())
            return None
        if self.state == "paused":
            self._run()
            self.note("resumed", targets=task.targets)
            return "resumed"
        if is_unchanged:
            return "unchanged"

        self.note("updated", targets=task.targets)
        return "updated"

    def pause(self) -> None:
        """Hear nothing until the next `set_task`; what was understood is still delivered."""
        if self.state == "paused" or self.is_over:
            return

        self.pipeline.stop_hearing(self._clock(), confirm=False)
        self._meter.stop(self._clock())
        self._become("paused")
        self.note("paused")

    def lose_task(self) -> None:
        """Know nothing of a task any more, as if there had been none."""
        if self.is_over:
            return

        self.pipeline.interrupt({"global"}, self._clock())
        self._meter.stop(self._clock())
        self.task = None
        self.tracks_changed.set()
        self._become("connected")
        self.note("task lost")

    def finish(self, eos_timeout: float | None) -> None:
        """Hear nothing more, deliver the tail, then end."""
        if self.is_listening:
            self.pipeline.stop_hearing(self._clock(), confirm=True)

        self._endings.tail.await_end(self._clock(), eos_timeout or 0.0)

    def end(self, reason: str, *last_words: Message) -> None:
        """Be over; the reason goes to the journal. Only the first end counts."""
        if self.is_over:
            return

        for message in last_words:
            self.outbox.post(message)
        self._meter.stop(self._clock())
        self.ended_at = time.time()
        self.end_reason = reason
        self.farewell_seconds = _FAREWELL_SECONDS if last_words else 0.0
        self.recording.close()
        self._become("ended")
        self.note("ended", reason=reason, billed_seconds=round(self.billed_seconds, 3))
        self.over.set()

    def delete(self) -> None:
        """Be over and forgotten by the REST API."""
        self.end("deleted")
        self._become("deleted")
        self.note("deleted")

    def let_go(self) -> None:
        """Forget what only a session that lives needs: packets and speech that nobody takes."""
        self.outbox.clear()
        self.pipeline.clear()
        while not self.orders.empty():
            self.orders.get_nowait()

    def expire(self) -> None:
        """Be over and unknown, because nobody came in time."""
        self.end("expired")
        self.delete()

    def tick(self) -> None:
        """Do what time brings; called some twenty times a second."""
        now = self._clock()
        if self.is_over:
            return
        if self.start.is_over(now):
            self._become_ready()

        self.pipeline.tick(now)
        by_webrtc = self.transport == "webrtc"
        self._level_reports.tick(now, self.pipeline.levels, self.task, has_data_channel=by_webrtc)
        is_drained = self.pipeline.is_drained(now)
        ending = self._endings.due(now, is_listening=self.is_listening, is_drained=is_drained)
        if ending is not None:
            self.end(ending.reason, *ending.last_words)

    def sound_due(self) -> list[tuple[str, Pcm | None]]:
        """Speech to be handed on now."""
        return self.pipeline.sound_due(self._clock())

    def _become_ready(self) -> None:
        self._run()
        self.note("running", targets=self.task.targets if self.task else ())
        if self._options.dialect != "legacy":
            self.outbox.post(messages.task_status("set_task", "started", "running"))

    def _run(self) -> None:
        now = self._clock()
        self.faults.ran()
        self._meter.start(now)
        self._endings.watchdog.feed(now)
        self._become("running")
