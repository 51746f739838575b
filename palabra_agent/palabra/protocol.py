"""The conversation with Palabra about one task, without any I/O: what to send when, what it means.

Rules first, then the code:

* The task is always sent whole. What is wished last is what counts; wishes in between are skipped.
* Palabra allows one `set_task` and one `get_task` in two seconds. Whether the two share their
  allowance is not known, so they do here.
* `set_task` may be acknowledged or not. Ready is when `task_status` or `current_task` says so, and
  it is asked for until it does.
* A `VALIDATION_ERROR` refuses the task that is under way, unless it complains of the command's own
  name. A refused task is not sent again; what ran before goes on.
* `NOT_FOUND` before the task runs means not yet, afterwards that it is gone: it is sent once more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from palabra_agent.errors import SessionLost, TaskRejected
from palabra_agent.interpretation.ports import Transcript
from palabra_agent.palabra.messages import (
    AudioChunk,
    ErrorReport,
    Message,
    QueueLevels,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)

Task: TypeAlias = Mapping[str, Any]
"""The `data` of a `set_task`."""

TASK_INTERVAL_SECONDS: Final = 2.1
"""Between two of `set_task` and `get_task`: two seconds and a little for the clocks."""

_UNKNOWN_COMMAND: Final = "non-empty message_type"
"""Part of the answer to a command that the server does not know; it refuses no task."""

_ENTRY: Final = re.compile(r"""'loc': (?P<loc>[(\[].*?[)\]]), 'msg': (["'])(?P<msg>.*?)\2""")
_PATIENCE: Final = 3
"""So many unknown errors in a row refuse a change of what runs."""
_LONGEST_REASON: Final = 300
"""It is shown in an attribute, together with others; longer ones LiveKit drops without a word."""
_NAME: Final = re.compile(r"'([^']+)'|\b(\d+)\b")


class TaskState(StrEnum):
    """Where the task stands."""

    IDLE = "idle"
    """Nothing was asked for yet."""
    CONFIGURING = "configuring"
    """Asked for, not known to run."""
    RUNNING = "running"
    """Runs as asked for, or as it was asked for before the latest change."""
    OVER = "over"
    """Ended, refused before it ran, or lost."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command to send now."""

    name: str
    data: Task


@dataclass(frozen=True, slots=True)
class Ready:
    """The task runs as it was sent last."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The wished change was refused; the task runs on as it was."""

    error: TaskRejected


@dataclass(frozen=True, slots=True)
class Over:
    """The session is over; nothing more comes."""

    error: TaskRejected | SessionLost


@dataclass(frozen=True, slots=True)
class Noted:
    """Something to count or log, by its code only."""

    what: str
    code: str


Meaning: TypeAlias = Transcript | Ready | Refused | Over | Noted


class TaskConversation:
    """One task, from the first wish to its end. Times are in seconds of any steady clock."""

    def __init__(self) -> None:
        self.state = TaskState.IDLE
        self._wished: Task | None = None
        self._sent: Task | None = None
        self._running: Task | None = None
        self._refused: Task | None = None
        self._refusal: TaskRejected | None = None
        self._is_confirmed = False
        self._was_lost = False
        self._strikes = 0
        """Errors that nobody knows, in a row."""
        self._next_at = 0.0

    def wish(self, task: Task) -> list[Meaning]:
        """Want a task, new or changed; return what is known of it already.

        One that was refused is not sent again, what runs stays.
        """
        if self._refusal is not None and task == self._refused:
            self._wished = self._running
            return [Refused(self._refusal)]

        self._wished = task
        is_followed = self._is_confirmed and task == self._running == self._sent
        return [Ready()] if is_followed else []

    def next_command(self, now: float) -> Command | None:
        """The command to send now, if any; the caller sends it."""
        if now < self._next_at or self.state is TaskState.OVER:
            return None

        if self._wished is not None and self._wished != self._sent:
            self._sent, self._is_confirmed = self._wished, False
            self._next_at = now + TASK_INTERVAL_SECONDS
            if self.state is TaskState.IDLE:
                self.state = TaskState.CONFIGURING

            return Command("set_task", self._sent)

        if self._sent is not None and not self._is_confirmed:
            self._next_at = now + TASK_INTERVAL_SECONDS
            return Command("get_task", {"exclude_hidden": True})

        return None

    def next_time(self) -> float | None:
        """When `next_command` may have something, or None while there is nothing to say."""
        is_settled = self._wished == self._sent and (self._sent is None or self._is_confirmed)
        return None if is_settled or self.state is TaskState.OVER else self._next_at

    def ask_again(self) -> None:
        """Make sure that the task still runs, as after a reconnect that may have lost packets."""
        self._is_confirmed = False

    def repeat(self) -> None:
        """Send the task again, as to a peer that was not there to hear it."""
        self._sent = None

    def receive(self, message: Message, now: float) -> list[Meaning]:
        """Take in a message; return what it means for us. After the end nothing means anything."""
        if self.state is TaskState.OVER:
            return []

        match message:
            case Transcript():
                return [message]
            case TaskReport():
                return self._confirm(message)
            case ErrorReport():
                return self._fail(message, now)
            case WarningReport(code):
                return [Noted("warning", code)]
            case StreamEnded():
                return self._over(SessionLost("Palabra ended the stream"))
            case QueueLevels() | AudioChunk():
                return []
            case Unread(message_type):
                return [Noted("unread", message_type)]

    def _confirm(self, report: TaskReport) -> list[Meaning]:
        if self._sent is None or report.command not in {"", "set_task"}:
            return []

        if report.status != "running":
            return []

        is_news = not self._is_confirmed
        self._is_confirmed, self._was_lost, self._running = True, False, self._sent
        self._strikes = 0
        self.state = TaskState.RUNNING
        return [Ready()] if is_news else []

    def _fail(self, error: ErrorReport, now: float) -> list[Meaning]:
        if error.code == "SERVICE_TIMEOUT":
            return self._over(SessionLost("Palabra heard no audio for too long"))

        if error.code == "NOT_FOUND":
            return self._not_found()

        is_under_way = self._sent is not None and not self._is_confirmed
        is_about_task = error.code == "VALIDATION_ERROR" and _UNKNOWN_COMMAND not in error.desc
        if is_under_way and is_about_task:
            return self._reject(TaskRejected(error.code, readable(error.desc)))

        # a rate limit, whose code nobody knows, or something new: the command may not have counted
        self._next_at = now + TASK_INTERVAL_SECONDS
        self._strikes += 1
        if is_under_way and self.state is TaskState.RUNNING and self._strikes >= _PATIENCE:
            return self._reject(TaskRejected(error.code, readable(error.desc)))

        if not self._is_confirmed:
            self._sent = None

        return [Noted("error", error.code)]

    def _not_found(self) -> list[Meaning]:
        if self.state is not TaskState.RUNNING:
            return []

        if self._was_lost:
            return self._over(SessionLost("Palabra lost the task"))

        self._was_lost, self._sent = True, None
        return [Noted("error", "NOT_FOUND")]

    def _reject(self, error: TaskRejected) -> list[Meaning]:
        if self.state is not TaskState.RUNNING:
            return self._over(error)

        self._refused, self._refusal, self._strikes = self._sent, error, 0
        self._sent, self._is_confirmed = self._running, True
        # what runs is what ran before; a newer wish than the refused one still stands
        if self._wished == self._refused:
            self._wished = self._running

        return [Refused(error)]

    def _over(self, error: TaskRejected | SessionLost) -> list[Meaning]:
        self.state = TaskState.OVER
        return [Over(error)]


def readable(desc: str) -> str:
    """Turn the validator's own notation into words: which field, and what it wants.

    Palabra's validation errors are the printed form of a Python object; what cannot be read that
    way is passed on as it is.
    """
    words = "; ".join(_entry_in_words(entry) for entry in _ENTRY.finditer(desc)) or desc
    return words if len(words) <= _LONGEST_REASON else words[: _LONGEST_REASON - 1] + "…"


def _entry_in_words(entry: re.Match[str]) -> str:
    path = ".".join(name or number for name, number in _NAME.findall(entry["loc"]))
    return f"{path}: {entry['msg']}"
