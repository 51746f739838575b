"""One session: what happens to it, who is there, and when it ends; decided without I/O.

    created → connected → running ⇄ paused → ended → deleted

Whoever runs a session tells it what happens and what time it is, and carries out what it wants:
messages in its outbox, tracks offered, speech played, and an end when it is over.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator import messages
from palabra_emulator.faults.injection import Injection
from palabra_emulator.faults.subject import SessionFaults
from palabra_emulator.faults.texts import Distortion
from palabra_emulator.identifiers import Identity
from palabra_emulator.journal import Journal
from palabra_emulator.level_reports import LevelReports
from palabra_emulator.messages import Message, TaskEvent
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.outbox import Outbox
from palabra_emulator.pipeline import Pipeline
from palabra_emulator.ports import TransportKind
from palabra_emulator.recording import open_recording
from palabra_emulator.rendering import Rendering
from palabra_emulator.script import Script
from palabra_emulator.standing import Standing
from palabra_emulator.starting import Start
from palabra_emulator.task import Task

_FAREWELL_SECONDS: Final = 0.26
"""Between the last message and the end of the connection, as observed on the live service."""


class Session(Standing):
    """One session's mind; the clock is monotonic, timestamps are epoch seconds."""

    def __init__(
        self,
        identity: Identity,
        options: EmulatorOptions,
        script: Script,
        journal: Journal,
        *,
        injection: Injection | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(identity, options, journal, clock)
        self.faults = SessionFaults(
            identity.session_id, identity.number, injection or Injection(journal, clock)
        )
        """What faults do to it."""
        self.outbox = Outbox(
            options.double_encode, options.seed + identity.number, Distortion(self.faults)
        )
        self.orders: asyncio.Queue[Rendering] = asyncio.Queue()
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
        self.recording = open_recording(options, identity)
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
