"""Where a task stands: what is wished, what was sent of it, and what Palabra is known to do. Pure.

It knows neither time nor messages. What was sent and is not confirmed may still be refused; what
was confirmed and is only doubted, as after lost packets, may not.
"""

from __future__ import annotations

from typing import TypeAlias

from palabra_agent.errors import AccessDenied, TaskRejected
from palabra_agent.palabra.protocol.commands import Task

_Refusal: TypeAlias = TaskRejected | AccessDenied


class TaskStanding:
    """One task, as it is wanted and as it is known to be."""

    def __init__(self) -> None:
        self.sent: Task | None = None
        """What Palabra was told last; None where it must be told anew."""
        self.wants_pause = False
        self.is_paused = False
        """Whether `pause_task` is the latest that it was told."""
        self.has_asked = False
        """Whether `get_task` went out since the latest command: then its answer speaks of that."""
        self._wanted: Task | None = None
        """The latest wish, refused or not."""
        self._wished: Task | None = None
        """What is to run: the latest wish, or what runs if that was refused."""
        self._running: Task | None = None
        self._barred: Task | None = None
        self._refusal: _Refusal | None = None
        self._is_task_open = False
        """Whether `set_task` was sent, and neither confirmed nor refused."""
        self._is_pause_open = False
        self._is_doubted = False

    @property
    def needs_task(self) -> bool:
        """Whether `set_task` is to be sent; a change in a pause waits for its end."""
        if self._wished is None or (self.wants_pause and self.is_paused):
            return False

        return self._wished != self.sent or self.is_paused

    @property
    def needs_pause(self) -> bool:
        """Whether `pause_task` is to be sent: only what is known to run can be paused."""
        return self.wants_pause and not self.is_paused and self.is_settled

    @property
    def needs_answer(self) -> bool:
        """Whether it is to be asked for."""
        return self.sent is not None and not self.is_settled

    @property
    def is_settled(self) -> bool:
        """Whether Palabra is known to do what it was told."""
        is_open = self._is_task_open or self._is_pause_open or self._is_doubted
        return self.sent is not None and not is_open

    @property
    def is_task_under_way(self) -> bool:
        """Whether a `set_task` has still to be answered."""
        return self.sent is not None and self._is_task_open

    @property
    def is_pause_under_way(self) -> bool:
        """Whether a `pause_task` has still to be answered."""
        return self._is_pause_open

    @property
    def is_change(self) -> bool:
        """Whether what was sent last is something else than what runs."""
        return self.sent != self._running

    def wish(self, task: Task) -> _Refusal | None:
        """Want a task; returns why it was refused, if it was: then what runs stays."""
        self._wanted = task
        if self._stands_refused():
            self._wished = self._running
            return self._refusal

        self._wished = task
        return None

    @property
    def is_followed(self) -> bool:
        """Whether what is wanted runs."""
        return not self._is_task_open and self._wanted == self._running == self.sent

    def send_task(self) -> Task:
        """What is wished goes out."""
        assert self._wished is not None, "only what is wished is sent"
        self.sent, self.is_paused, self.has_asked = self._wished, False, False
        self._is_task_open, self._is_pause_open, self._is_doubted = True, False, False
        return self.sent

    def send_pause(self) -> None:
        """A pause goes out."""
        self.is_paused, self.has_asked = True, False
        self._is_pause_open = True

    def doubt(self) -> None:
        """It may not be as it was any more."""
        self._is_doubted = True

    def trust(self) -> None:
        """It is still there."""
        self._is_doubted = False

    def forget(self) -> None:
        """Palabra knows nothing of it."""
        self.sent, self.is_paused = None, False
        self._is_task_open = self._is_pause_open = self._is_doubted = False

    def send_again(self) -> None:
        """What was sent last did not count."""
        self.sent = None

    def confirm(self) -> bool:
        """It runs as it was sent; returns whether that is what somebody waits to hear."""
        is_news = self._is_task_open and not self._stands_refused()
        self._running = self.sent
        self._is_task_open = self._is_doubted = False
        return is_news

    def confirm_pause(self) -> None:
        """It is paused."""
        self._is_pause_open = self._is_doubted = False

    def miss_pause(self) -> None:
        """It runs on although it was told to pause."""
        self.is_paused = self._is_pause_open = self._is_doubted = False

    def refuse(self, error: _Refusal, *, is_heard: bool) -> None:
        """What was sent last is never to be sent again; what ran before runs on.

        It is told anew what that is where it was asked for in a pause, which goes on.
        """
        self._barred, self._refusal = self.sent, error
        self.sent = self._running if is_heard else None
        self._is_task_open = self._is_doubted = False
        # a newer wish than the refused one still stands
        if self._wished == self._barred:
            self._wished = self._running

    def _stands_refused(self) -> bool:
        return self._refusal is not None and self._wanted == self._barred
