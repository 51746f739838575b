"""One session: what happens to it, and when it ends; decided without I/O.

    created → connected → running ⇄ paused → ended → deleted

Its runner tells it what happens and what time it is, and carries out what it wants: messages in
its outbox, tracks offered, speech played, and an end when it is over.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.faults.catalogue import SlowStart
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.message_faults import MessageFaults
from palabra_emulator.interpreting.markers import session_marker_hz
from palabra_emulator.interpreting.pipeline import Pipeline
from palabra_emulator.interpreting.recording import open_recording
from palabra_emulator.interpreting.speech import WantedSpeech
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message, MessageQueue, TaskEvent
from palabra_emulator.session.task import Task
from palabra_emulator.transports.ports import RoomNames, TransportKind

State: TypeAlias = Literal["created", "connected", "running", "paused", "ended", "deleted"]

AFTERLIFE_SECONDS: Final = 60.0
"""The time for which the REST API still knows an ended session."""

_FAREWELL_SECONDS: Final = 0.26
"""Between the last message and the end of the connection, as observed on the live service."""


@dataclass(frozen=True, slots=True)
class SessionIdentity:
    """A session's names, which never change."""

    session_id: str
    number: int
    """Counted from 0 since the emulator started."""
    names: RoomNames
    intent: str

    @property
    def marker_hz(self) -> int:
        """The pitch that its speech carries beside the language's."""
        return session_marker_hz(self.number)


def new_identity(number: int, intent: str) -> SessionIdentity:
    """Make names as Palabra does: a dotted id, which clients must take as it is, and a room."""
    names = RoomNames(
        room=secrets.token_hex(4),
        bot=f"palabra_translator_{secrets.token_hex(4)}",
        client=f"publisher_{secrets.token_hex(4)}",
    )
    session_id = f"{uuid.uuid4()}.{secrets.token_hex(4)}.{secrets.token_hex(4)}"
    return SessionIdentity(session_id, number, names, intent)


class ClientPresence:
    """The comings and goings of one client, and how long a session waits for it."""

    def __init__(self, join_by: float) -> None:
        self.join_by = join_by
        """Until when a client that never came is waited for."""
        self._is_present = False
        self._away_since: float | None = None

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
        """The reason not to wait for the client any longer, if there is one."""
        if not self._is_present and self._away_since is None:
            return "never joined" if now >= self.join_by else None
        if self._away_since is not None and now - self._away_since >= grace_seconds:
            return "client left"

        return None


class RunningTime:
    """The time for which a task has been running, which is what Palabra charges for."""

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
        """The seconds counted so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)


class TaskStart:
    """The start of an accepted task; happens again when the task was lost."""

    def __init__(self, delay_seconds: float, faults: SessionFaults) -> None:
        self._delay_seconds = delay_seconds
        self._faults = faults
        self._due_at: float | None = None
        self._polls_left = 0

    def begin(self, now: float) -> None:
        """A task was accepted; another one while it starts changes nothing."""
        if self._due_at is not None:
            return

        match self._faults.trigger("command", SlowStart, command="set_task"):
            case None:
                self._due_at = now + self._delay_seconds
            case SlowStart(variant="late", delay_ms=delay_ms):
                self._due_at = now + delay_ms / 1000
            case SlowStart(variant=variant, polls=polls):
                self._due_at = math.inf
                self._polls_left = polls if variant == "polls" else 0

    def count_poll(self, now: float) -> None:
        """The client was told that there is no task yet."""
        if self._polls_left and self._due_at is not None:
            self._polls_left -= 1
            if not self._polls_left:
                self._due_at = now

    def is_over(self, now: float) -> bool:
        """True if the task is ready by now; true once per start."""
        if self._due_at is None or now < self._due_at:
            return False

        self._due_at = None
        return True


class EmulatedSession:
    """One session's decisions; the clock is monotonic, timestamps are epoch seconds."""

    def __init__(
        self,
        identity: SessionIdentity,
        options: EmulatorOptions,
        script: Script,
        journal: Journal,
        *,
        injector: FaultInjector | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.identity = identity
        self.state: State = "created"
        self.task: Task | None = None
        """The task as accepted last, ready or not."""
        self.created_at = self.updated_at = time.time()
        self.ended_at: float | None = None
        self.end_reason: str | None = None
        self.over = asyncio.Event()
        self.farewell_seconds = 0.0
        """The time for which the client may stay after the last message."""
        self.tracks_changed = asyncio.Event()

        seed = options.seed + identity.number
        injector = injector or FaultInjector(journal, clock)
        self.faults = SessionFaults(identity.session_id, identity.number, injector)
        """The faults that are meant for it."""
        self.outbox = MessageQueue(options.double_encode, seed, MessageFaults(self.faults))
        self.speech_wanted: asyncio.Queue[WantedSpeech] = asyncio.Queue()
        """Speech that is to be made."""
        self.pipeline = Pipeline(
            options,
            script,
            post=self.outbox.post,
            note=self.note,
            want_speech=self.speech_wanted.put_nowait,
            session_hz=identity.marker_hz,
            seed=seed,
        )
        name = f"{identity.number:03}-{identity.names.room}"
        self.recording = open_recording(options, name)

        self._options = options
        self._journal = journal
        self._clock = clock
        self._presence = ClientPresence(clock() + options.unjoined_ttl_s)
        self._start = TaskStart(options.ready_delay_ms / 1000, self.faults)
        self._running_time = RunningTime()
        self._input_at = 0.0
        """The time at which sound arrived last, or began to be expected."""
        self._quiet_since = 0.0
        """The time since which there is nothing left to tell and to speak."""
        self._final_quiet_seconds: float | None = None
        """The quiet that ends it, where it delivers nothing but its tail."""
        self._levels_due_at = 0.0

    @property
    def transport(self) -> TransportKind:
        """Its client's connection, or the expected one."""
        return self.pipeline.transport

    @property
    def billed_seconds(self) -> float:
        """The time for which its task was running."""
        return self._running_time.seconds(self._clock())

    @property
    def expires_at(self) -> float:
        """The time at which its id becomes invalid, as things are."""
        if self.ended_at is not None:
            return self.ended_at + AFTERLIFE_SECONDS
        if self.state == "created":
            return time.time() + self._presence.join_by - self._clock()

        return time.time() + AFTERLIFE_SECONDS

    @property
    def is_over(self) -> bool:
        """True if it has ended."""
        return self.ended_at is not None

    @property
    def is_ready(self) -> bool:
        """True if it has a task that is up."""
        return self.state in {"running", "paused"}

    @property
    def is_listening(self) -> bool:
        """True if sound is interpreted."""
        return self.state == "running" and not self.is_finishing

    @property
    def is_finishing(self) -> bool:
        """True if it delivers its tail: what was heard before `end_task`."""
        return self._final_quiet_seconds is not None

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
        self._presence.join_by = self._clock() + seconds
        self.updated_at = time.time()

    def client_joined(self) -> None:
        """The client is there."""
        self._presence.join()
        self.client_spoke()

    def client_spoke(self) -> None:
        """The client is connected; LiveKit may announce one that publishes nothing only later."""
        if self.state == "created":
            self._become("connected")
            self.note("connected")

    def client_left(self) -> None:
        """The client is gone: for good, unless it is back within the grace period."""
        if self._presence.leave(self._clock()):
            self.note("disconnected")

    def hear(self, pcm: Pcm) -> None:
        """The client's sound."""
        if self.is_listening and not self.faults.is_deaf:
            self.recording.add(pcm)
            self.pipeline.hear(pcm, self._clock())

    def input_arrived(self) -> None:
        """Sound, silence included, has just arrived."""
        self._input_at = self._clock()

    def follow(self, task: Task) -> TaskEvent | None:
        """Start, update or resume; says which, or nothing while it is still starting."""
        previous, self.task = self.task, task
        is_unchanged = previous is not None and previous.full == task.full
        self.pipeline.configure(task)
        if not is_unchanged:
            self.tracks_changed.set()
        if not self.is_ready:
            self._start.begin(self._clock())
            return None
        if self.state == "paused":
            self._run()
            self.note("resumed", targets=task.targets)
            return "resumed"
        if is_unchanged:
            return "unchanged"

        self.note("updated", targets=task.targets)
        return "updated"

    def polled_in_vain(self) -> None:
        """The client was told that there is no task yet."""
        self._start.count_poll(self._clock())

    def pause(self) -> None:
        """Hear nothing until the next `set_task`; what was understood is still delivered."""
        if self.state == "paused" or self.is_over:
            return

        self.pipeline.stop_hearing(self._clock(), confirm=False)
        self._running_time.stop(self._clock())
        self._become("paused")
        self.note("paused")

    def lose_task(self) -> None:
        """Know nothing of a task any more, as if there had been none."""
        if self.is_over:
            return

        self.pipeline.interrupt({"global"}, self._clock())
        self._running_time.stop(self._clock())
        self.task = None
        self.tracks_changed.set()
        self._become("connected")
        self.note("task lost")

    def finish(self, eos_timeout: float | None) -> None:
        """Hear nothing more, deliver the tail, be quiet for a while, then end."""
        if self.is_listening:
            self.pipeline.stop_hearing(self._clock(), confirm=True)

        self._final_quiet_seconds = eos_timeout or 0.0
        self._quiet_since = self._clock()

    def end(self, reason: str, *last_words: Message) -> None:
        """Be over; the reason goes to the journal. Only the first end counts."""
        if self.is_over:
            return

        for message in last_words:
            self.outbox.post(message)
        self._running_time.stop(self._clock())
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

    def expire(self) -> None:
        """Be over and unknown, because no client came in time."""
        self.end("expired")
        self.delete()

    def release(self) -> None:
        """Drop what an ended session needs no more: packets not sent, and speech not spoken."""
        self.outbox.clear()
        self.pipeline.clear()
        while not self.speech_wanted.empty():
            self.speech_wanted.get_nowait()

    def tick(self) -> None:
        """Do what time brings; called some twenty times a second."""
        now = self._clock()
        if self.is_over:
            return
        if self._start.is_over(now):
            self._become_ready()

        self.pipeline.tick(now)
        self._report_levels(now)
        self._end_if_due(now)

    def sound_due(self) -> list[tuple[str, Pcm | None]]:
        """Speech to be handed on now; `None` withdraws what was handed on."""
        return self.pipeline.sound_due(self._clock())

    def _become_ready(self) -> None:
        self._run()
        self.note("running", targets=self.task.targets if self.task else ())
        if self._options.dialect != "legacy":
            self.outbox.post(messages.task_status("set_task", "started", "running"))

    def _run(self) -> None:
        now = self._clock()
        self.faults.ran()
        self._running_time.start(now)
        self._input_at = now
        self._become("running")

    def _become(self, state: State) -> None:
        self.state = state
        self.updated_at = time.time()

    def _report_levels(self, now: float) -> None:
        """Tell how full the speech queues are; the bare map goes through data channels alone."""
        hz = self._options.queue_map_hz
        if not hz or now < self._levels_due_at:
            return

        self._levels_due_at = now + 1 / hz
        levels = self.pipeline.levels(now)
        if self.transport == "webrtc":
            self.outbox.post(messages.queue_map(levels))
        if self.task is not None and "tts_buffer_stats" in self.task.allowed_messages:
            self.outbox.post(messages.tts_buffer_stats(levels, time.time()))

    def _end_if_due(self, now: float) -> None:
        """End where the client is gone, where input is missing, or after the tail."""
        is_drained = self.pipeline.is_drained(now)
        if not is_drained:
            self._quiet_since = now

        grace_seconds = 0.0 if self.is_finishing else self._options.grace_s
        reason = self._presence.given_up(now, grace_seconds)
        limit = self._options.watchdog_s
        quiet_wanted = self._final_quiet_seconds
        if reason is not None:
            self.end(reason)
        elif self.is_listening and 0 < limit <= now - self._input_at:
            self.end("service timeout", messages.service_timeout(limit))
        elif is_drained and quiet_wanted is not None and now - self._quiet_since >= quiet_wanted:
            self.end("end_task", *messages.ends_of_stream(self._options.eos_name))
