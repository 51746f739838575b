"""Sending: which command goes next, and from when on Palabra's rate limits allow it. Pure.

Rules first, then the code:

* While the session ends, `end_task` goes out and nothing else.
* The task goes first, then its pause or a question for it, then the other commands in their order:
  an interruption before any text, and the texts that it drops are not spoken afterwards.
* A command that must wait for its limit does not hold up the ones behind it.
* Where a pause is to end, interruptions and texts wait for the `set_task` that ends it.
* A speaker who ends a pause does not wait behind a question about it: `set_task` goes at once,
  unless Palabra is found to count the two together.
* Palabra is asked for the task only some time after it was told something: most servers
  acknowledge long before. A pause that is refused is tried less and less.
* Where a server does not know an interruption, it goes out once more by its older name.

Times are in seconds of any steady clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from palabra_agent.errors import ConfigError, Problem
from palabra_agent.palabra.protocol.commands import EVERY_LANGUAGE, Command
from palabra_agent.palabra.protocol.task_state import SessionState, TaskState

TASK_INTERVAL_SECONDS: Final = 2.1
"""Between two of `set_task` and `get_task`: two seconds and a little for the clocks."""
PAUSE_INTERVAL_SECONDS: Final = 3.1
"""Between two of `pause_task` and `end_task`: three seconds and a little."""
SPEECH_INTERVAL_SECONDS: Final = 1.05
"""Between two of `tts_task`: sixty a minute, spread evenly."""

_LIMITS: Final[Mapping[str, tuple[str, float]]] = {
    "set_task": ("task", TASK_INTERVAL_SECONDS),
    "get_task": ("task", TASK_INTERVAL_SECONDS),
    "pause_task": ("pause", PAUSE_INTERVAL_SECONDS),
    "end_task": ("pause", PAUSE_INTERVAL_SECONDS),
    "tts_task": ("speech", SPEECH_INTERVAL_SECONDS),
}
"""Palabra's documented limits, each with its name.

Whether commands that stand on one row of its documentation share an allowance is not known; here
they do, but where a pause ends.
"""

MOST_WAITING: Final = 60
"""Texts that may wait for their turn: a minute of `tts_task`."""

_ANSWER_SECONDS: Final = 5.0
"""For so long an error may be the answer to a queued command; most are acknowledged long before."""

_INTERRUPTIONS: Final = frozenset({"interrupt_task", "flush_task"})

_LONGEST_PAUSE_INTERVAL: Final = 120.0
"""Between two tries to pause a task that is never paused."""
_PAUSES_IN_VAIN: Final = 3
"""So many in a row are told to the operator."""


class CommandLimits:
    """The times from which each command may be sent next."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}
        """By command, as if each had an allowance of its own."""
        self._are_shared = False
        """True where `set_task` was refused that would have been right by itself."""

    def next_time(self, command: str) -> float:
        """Tell the earliest time for a command; minus infinity where it has no limit."""
        row = _LIMITS.get(command)
        same = [name for name in self._free_at if _LIMITS[name] == row]
        return max((self._free_at[name] for name in same), default=-math.inf)

    def next_resumption(self) -> float:
        """Tell the earliest time for a `set_task` that ends a pause."""
        if self._are_shared:
            return self.next_time("set_task")

        return self._free_at.get("set_task", -math.inf)

    def note(self, command: str, now: float) -> None:
        """Learn that a command is sent, or that one counted that was sent, as an error suggests."""
        if command in _LIMITS:
            self._free_at[command] = now + _LIMITS[command][1]

    def note_refusal(self, now: float) -> None:
        """Learn that a limit may have refused `set_task`, perhaps for the question before it."""
        self._are_shared = self._are_shared or self._free_at.get("get_task", -math.inf) > now
        self.note("set_task", now)


class CommandQueue:
    """The commands beside the task's own, which wait for their turn: interruptions and texts."""

    def __init__(self) -> None:
        self._interruptions: deque[Command] = deque(maxlen=MOST_WAITING)
        self._texts: deque[Command] = deque()
        self._unanswered: Command | None = None
        """The latest that was sent, unless Palabra acknowledged or refused it."""
        self._sent_at = -math.inf

    @property
    def first(self) -> Command | None:
        """The command that goes out next."""
        waiting = self._interruptions or self._texts
        return waiting[0] if waiting else None

    def add(self, command: Command) -> None:
        """Have a command wait for its turn.

        Raises:
            ConfigError: Too many of them wait already.
        """
        if command.name in _INTERRUPTIONS:
            self._drop_texts(command.data)
            self._interruptions.append(command)
            return

        if len(self._texts) >= MOST_WAITING:
            reason = f"{MOST_WAITING} texts wait to be spoken already, one a second goes out"
            raise ConfigError([Problem("text", reason)])

        self._texts.append(command)

    def take(self, now: float) -> Command:
        """Take out the first one, to be sent now."""
        command = (self._interruptions or self._texts).popleft()
        self._unanswered, self._sent_at = command, now
        return command

    def acknowledge(self, name: str) -> None:
        """Learn that a command of this name was answered."""
        if self._unanswered is not None and self._unanswered.name == name:
            self._unanswered = None

    def may_be_refused(self, now: float) -> bool:
        """Tell whether an error that names no command may be about one of these."""
        return self._unanswered is not None and now - self._sent_at < _ANSWER_SECONDS

    def fall_back(self) -> bool:
        """Learn that a command's name is unknown; returns whether it was an interruption's."""
        unknown = self._unanswered
        if unknown is None or unknown.name not in _INTERRUPTIONS:
            return False

        self._unanswered = None
        if unknown.name == "interrupt_task":
            self._interruptions.appendleft(Command("flush_task", unknown.data))

        return True

    def _drop_texts(self, interruption: Mapping[str, Any]) -> None:
        """Forget the texts that an interruption is meant for; translated ones are for all."""
        languages = set(interruption.get("languages", ()))
        self._texts = deque(
            text
            for text in self._texts
            if EVERY_LANGUAGE not in languages
            and (text.data.get("translate_text") or text.data.get("language") not in languages)
        )


class CommandScheduler:
    """Decides which command is due, by the task's state, the queue and the limits.

    It reads the state and the queue and never changes them; `note_sent` tells it what went out.
    """

    def __init__(self, state: TaskState, queue: CommandQueue) -> None:
        self._state = state
        self._queue = queue
        self._limits = CommandLimits()
        self._ask_from = -math.inf
        self._pause_from = -math.inf
        self._missed_pauses = 0
        """Pauses in a row that were in vain."""
        self._is_miss_told = False
        self._is_end_sent = False

    def due(self, now: float) -> str | None:
        """Name the command to send now, if any."""
        return next((name for name, time in self._waiting() if time <= now), None)

    def next_time(self) -> float | None:
        """Tell when something may be due, or None while nothing is to be sent."""
        return min((time for _, time in self._waiting()), default=None)

    def may_end(self, now: float) -> bool:
        """Tell whether no limit bars `end_task` now."""
        return self._limits.next_time("end_task") <= now

    def note_sent(self, name: str, now: float) -> None:
        """Learn that a command goes out."""
        self._limits.note(name, now)
        if name in {"set_task", "pause_task"}:
            self._ask_from = now + TASK_INTERVAL_SECONDS
        elif name == "end_task":
            self._is_end_sent = True

    def note_limit(self, now: float) -> None:
        """Learn of an error that may be a limit's: what it answers counted then, but in vain."""
        if self._state.session is SessionState.ENDING:
            self._limits.note("end_task", now)
            self._is_end_sent = False
        elif not self._state.is_paused:
            self._limits.note_refusal(now)

    def miss_pause(self, now: float) -> bool:
        """Learn that a pause was in vain; returns whether the operator should know, once."""
        interval = min(PAUSE_INTERVAL_SECONDS * 2**self._missed_pauses, _LONGEST_PAUSE_INTERVAL)
        self._pause_from = now + interval
        self._missed_pauses = min(self._missed_pauses + 1, 10)
        if self._missed_pauses < _PAUSES_IN_VAIN or self._is_miss_told:
            return False

        self._is_miss_told = True
        return True

    def meet_pause(self) -> None:
        """Learn that the task is paused; the next pause may go at once."""
        self._pause_from, self._missed_pauses = -math.inf, 0

    def _waiting(self) -> Iterator[tuple[str, float]]:
        """List what is to be sent, the most urgent first, each with the time from when it may."""
        if self._state.is_over:
            return

        if self._state.session is SessionState.ENDING:
            if not self._is_end_sent:
                yield "end_task", self._limits.next_time("end_task")
            return

        if self._state.needs_task:
            is_resumption = self._state.is_paused
            next_time = self._limits.next_time("set_task")
            yield "set_task", self._limits.next_resumption() if is_resumption else next_time
        elif self._state.needs_pause:
            yield "pause_task", max(self._limits.next_time("pause_task"), self._pause_from)
        elif self._state.needs_answer:
            yield "get_task", max(self._limits.next_time("get_task"), self._ask_from)

        queued = self._queue.first
        is_resumed_first = self._state.needs_task and self._state.is_paused
        if queued is not None and self._state.has_task and not is_resumed_first:
            yield queued.name, self._limits.next_time(queued.name)
