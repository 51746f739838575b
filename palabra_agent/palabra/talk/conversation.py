"""The conversation with Palabra about one task, without any I/O: what to send when, what it means.

Rules first, then the code:

* The task is always sent whole. What is wished last is what counts; wishes in between are skipped.
* `set_task` may be acknowledged or not. Ready is when `task_status` or `current_task` says so, and
  it is asked for until it does. The same holds for `pause_task`.
* `set_task` in a pause ends the pause and its bill begins: changes wait until somebody speaks.
* A `VALIDATION_ERROR` refuses the task that is under way, unless it complains of another command.
  A refused task is not sent again; what ran before goes on.
* `NOT_FOUND` before the task runs means not yet, afterwards that it is gone: it is sent once more.
* Other commands are sent in order, once a task is there.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from palabra_agent.errors import SessionLost, TaskRejected
from palabra_agent.interpretation.ports import Transcript
from palabra_agent.palabra.talk import commands
from palabra_agent.palabra.talk.commands import CommandParts
from palabra_agent.palabra.talk.lifecycle import Lifecycle, SessionState, Signal
from palabra_agent.palabra.talk.meanings import (
    Command,
    Finished,
    Meaning,
    Noted,
    Over,
    Ready,
    Refused,
    Task,
)
from palabra_agent.palabra.talk.messages import (
    ErrorReport,
    Message,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)
from palabra_agent.palabra.talk.pacing import TASK_INTERVAL_SECONDS, Pace
from palabra_agent.palabra.talk.refusals import is_of_task, is_of_unknown_command, readable

_PATIENCE: Final = 3
"""So many unknown errors in a row refuse a change of what runs."""
_DENIALS: Final = 3
"""After so many answers that there is no task it is sent again: six seconds, where two are usual.
"""
_MOST_WAITING: Final = 60
"""Commands that may wait for their turn: a minute of `tts_task`."""


_Waiting: TypeAlias = tuple[float, Callable[[], Command]]


class TaskConversation:
    """One task, from the first wish to its end. Times are in seconds of any steady clock."""

    def __init__(self, life: Lifecycle | None = None) -> None:
        self._life = life or Lifecycle(SessionState.CONFIGURING)
        self._pace = Pace()
        self._wished: Task | None = None
        self._sent: Task | None = None
        self._running: Task | None = None
        self._refused: Task | None = None
        self._refusal: TaskRejected | None = None
        self._wants_pause = False
        self._is_pause_sent = False
        self._is_confirmed = False
        self._ask_from = -math.inf
        self._has_asked = False
        """Whether `get_task` went out since the latest command: then its answer speaks of that."""
        self._was_lost = False
        self._strikes = 0
        """Errors that nobody knows, in a row."""
        self._denials = 0
        """How often there was no task yet."""
        self._told: set[str] = set()
        """Warnings that need not be told again."""
        self._others: deque[Command] = deque(maxlen=_MOST_WAITING)
        self._interruption: Command | None = None
        """An interruption of which nothing was heard yet, by its newer or older name."""
        self._is_farewell_sent = False

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._life.state

    @property
    def is_heard(self) -> bool:
        """Whether Palabra takes sound in now, as far as we know."""
        return self.state is SessionState.RUNNING and not self._is_pause_sent

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

    def pause(self) -> None:
        """Want Palabra to hear, and charge, nothing; as soon as the task is known to run."""
        self._wants_pause = True

    def resume(self) -> None:
        """Want Palabra to hear again."""
        self._wants_pause = False

    def say(self, parts: CommandParts) -> None:
        """Want another command sent, as soon as there is a task and its turn has come."""
        self._others.append(Command(*parts))

    def finish(self) -> None:
        """Want the task to end, after everything that was said is interpreted."""
        self._life.follow(Signal.END_WANTED)

    def may_end(self, now: float) -> bool:
        """Whether `end_task` would be obeyed now; where a limit bars it, deleting ends as well."""
        return not self._life.is_over and self._pace.next_time("end_task") <= now

    def next_command(self, now: float) -> Command | None:
        """The command to send now, if any; the caller sends it."""
        for due, make in self._waiting():
            if due <= now:
                command = make()
                self._pace.note(command.name, now)
                if command.name in {"set_task", "pause_task"}:
                    # most servers acknowledge them long before
                    self._ask_from = now + TASK_INTERVAL_SECONDS

                return command

        return None

    def next_time(self) -> float | None:
        """When `next_command` may have something, or None while there is nothing to say."""
        return min((due for due, _ in self._waiting()), default=None)

    def ask_again(self) -> None:
        """Make sure that the task still runs, as after a reconnect that may have lost packets."""
        self._is_confirmed = False

    def repeat(self) -> None:
        """Send the task again, as to a peer that was not there to hear it."""
        self._sent, self._is_pause_sent = None, False

    def lose(self, reason: str) -> list[Meaning]:
        """The other side is gone; while we are ending, that is the end."""
        return self._over(Signal.LOST, SessionLost(reason))

    def receive(self, message: Message, now: float) -> list[Meaning]:
        """Take in a message; return what it means for us. After the end nothing means anything."""
        if self._life.is_over:
            return []

        match message:
            case Transcript():
                return [message]
            case TaskReport():
                return self._heed(message)
            case ErrorReport():
                return self._fail(message, now)
            case WarningReport(code):
                return self._heed_warning(code)
            case StreamEnded():
                return self.lose("Palabra ended the stream")
            case Unread(message_type):
                return [Noted("unread", message_type)]
            case _:
                return []

    def _waiting(self) -> Iterator[_Waiting]:
        """What is to be sent, the most urgent first, each with the time from when on it may be."""
        if self._life.is_over:
            return

        if self.state is SessionState.ENDING:
            if not self._is_farewell_sent:
                yield self._pace.next_time("end_task"), self._say_farewell
            return

        if self._needs_task:
            yield self._pace.next_time("set_task"), self._send_task
        elif self._wants_pause and not self._is_pause_sent and self._is_confirmed:
            yield self._pace.next_time("pause_task"), self._send_pause
        elif self._sent is not None and not self._is_confirmed:
            yield max(self._pace.next_time("get_task"), self._ask_from), self._ask

        if self._others and self._life.has_task:
            yield self._pace.next_time(self._others[0].name), self._send_other

    @property
    def _needs_task(self) -> bool:
        if self._wished is None or (self._wants_pause and self._is_pause_sent):
            return False

        return self._wished != self._sent or self._is_pause_sent

    def _send_task(self) -> Command:
        assert self._wished is not None, "only what is wished is sent"
        self._sent, self._is_pause_sent = self._wished, False
        self._is_confirmed = self._has_asked = False
        return Command(*commands.set_task(self._sent))

    def _send_pause(self) -> Command:
        self._is_pause_sent = True
        self._is_confirmed = self._has_asked = False
        self._life.follow(Signal.PAUSED)
        return Command(*commands.pause_task())

    def _ask(self) -> Command:
        self._has_asked = True
        return Command(*commands.get_task())

    def _send_other(self) -> Command:
        command = self._others.popleft()
        if command.name in {"interrupt_task", "flush_task"}:
            self._interruption = command

        return command

    def _say_farewell(self) -> Command:
        self._is_farewell_sent = True
        return Command(*commands.end_task())

    def _heed(self, report: TaskReport) -> list[Meaning]:
        if report.command == "interrupt_task":
            self._interruption = None

        if self._sent is None or report.command not in {"", "set_task", "pause_task"}:
            return []

        if report.status == "paused":
            return self._heed_pause()

        if not report.is_running or report.command == "pause_task":
            return []

        if not self._is_pause_sent:
            return self._confirm()

        if self._has_asked:
            self._pause_was_lost()

        return []

    def _heed_pause(self) -> list[Meaning]:
        if self._is_pause_sent:
            self._is_confirmed, self._strikes = True, 0
        elif self._life.has_task:
            # it did not hear that the pause is over
            self._sent = None

        return []

    def _pause_was_lost(self) -> None:
        """It runs on, and is to be paused once more."""
        self._is_pause_sent, self._is_confirmed = False, True
        self._life.follow(Signal.CONFIRMED)

    def _heed_warning(self, code: str) -> list[Meaning]:
        """A missing voice is told with every sentence; once is enough."""
        if code in self._told:
            return []

        if code == "VOICE_NOT_FOUND":
            self._told.add(code)

        return [Noted("warning", code)]

    def _confirm(self) -> list[Meaning]:
        is_news = not self._is_confirmed
        self._is_confirmed, self._was_lost, self._running = True, False, self._sent
        self._strikes = 0
        self._life.follow(Signal.CONFIRMED)
        return [Ready()] if is_news else []

    def _fail(self, error: ErrorReport, now: float) -> list[Meaning]:
        if error.code == "SERVICE_TIMEOUT":
            words = f" ({readable(error.desc)})" if error.desc else ""
            return self.lose(f"Palabra heard no audio for too long{words}")

        if error.code == "NOT_FOUND":
            return self._not_found()

        if error.code == "VALIDATION_ERROR":
            if is_of_unknown_command(error.desc):
                return self._not_understood(error, now)

            if self._is_task_under_way and is_of_task(error.desc):
                return self._reject(TaskRejected(error.code, readable(error.desc)))

        return self._retry(error, now)

    @property
    def _is_task_under_way(self) -> bool:
        return self._sent is not None and not self._is_confirmed and not self._is_pause_sent

    def _not_understood(self, error: ErrorReport, now: float) -> list[Meaning]:
        """Older servers know an interruption by another name; nobody's task is refused by this."""
        if self._interruption is None:
            return self._retry(error, now)

        if self._interruption.name == "interrupt_task":
            self._others.appendleft(Command("flush_task", self._interruption.data))

        self._interruption = None
        return [Noted("error", error.code)]

    def _retry(self, error: ErrorReport, now: float) -> list[Meaning]:
        """A rate limit, whose code nobody knows, or something new: it may not have counted."""
        if self.state is SessionState.ENDING:
            self._pace.note("end_task", now)
            self._is_farewell_sent = False
            return [Noted("error", error.code)]

        self._pace.note("set_task", now)
        self._strikes += 1
        is_change = self._is_task_under_way and self._life.has_task
        if is_change and self._strikes >= _PATIENCE:
            return self._reject(TaskRejected(error.code, readable(error.desc)))

        if self._is_pause_sent and not self._is_confirmed:
            self._pace.note("pause_task", now)
            self._pause_was_lost()
        elif not self._is_confirmed:
            self._sent = None

        return [Noted("error", error.code)]

    def _not_found(self) -> list[Meaning]:
        if not self._life.has_task:
            return self._wait_or_repeat()

        if self._was_lost:
            return self.lose("Palabra lost the task")

        self._was_lost, self._sent, self._is_pause_sent = True, None, False
        self._is_confirmed = False
        return [Noted("error", "NOT_FOUND")]

    def _wait_or_repeat(self) -> list[Meaning]:
        """Not up yet; or it was never heard, as by a peer that was just being set up."""
        self._denials += 1
        if self._denials % _DENIALS == 0:
            self._sent = None

        return []

    def _reject(self, error: TaskRejected) -> list[Meaning]:
        if not self._life.has_task:
            return self._over(Signal.REJECTED, error)

        self._refused, self._refusal, self._strikes = self._sent, error, 0
        self._sent, self._is_confirmed = self._running, True
        # what runs is what ran before; a newer wish than the refused one still stands
        if self._wished == self._refused:
            self._wished = self._running

        return [Refused(error)]

    def _over(self, signal: Signal, error: TaskRejected | SessionLost) -> list[Meaning]:
        was_wanted = self.state is SessionState.ENDING
        self._life.follow(signal)
        return [Finished()] if was_wanted else [Over(error)]
