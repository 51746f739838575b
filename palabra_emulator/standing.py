"""Where one session stands: its state, its task, its bill, and what follows from them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Literal, TypeAlias

from palabra_emulator.endings import Endings
from palabra_emulator.identifiers import Identity
from palabra_emulator.journal import Journal
from palabra_emulator.meter import Meter
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.task import Task

State: TypeAlias = Literal["created", "connected", "running", "paused", "ended", "deleted"]

AFTERLIFE_SECONDS: Final = 60.0
"""How long an ended session is still known to the REST API."""


class Standing:
    """What can be seen of a session; the session itself, which changes it, is made of it."""

    def __init__(
        self,
        identity: Identity,
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
