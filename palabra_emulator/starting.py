"""When an accepted task becomes ready: after a moment, unless a fault holds it up."""

from __future__ import annotations

import math

from palabra_emulator.faults.subject import SessionFaults


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
