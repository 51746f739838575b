"""What Palabra is to be told next, and when: the task, a pause, all the rest. Pure.

The most urgent goes first: the farewell, then the task, its pause or a question for it, then the
errands. What cannot go yet for its limit does not hold up what can.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from palabra_agent.palabra.protocol import commands
from palabra_agent.palabra.protocol.commands import Command
from palabra_agent.palabra.protocol.errands import Errands
from palabra_agent.palabra.protocol.lifecycle import Lifecycle, SessionState, Signal
from palabra_agent.palabra.protocol.pacing import (
    PAUSE_INTERVAL_SECONDS,
    TASK_INTERVAL_SECONDS,
    Pace,
)
from palabra_agent.palabra.protocol.standing import TaskStanding

_LONGEST_INTERVAL: Final = 120.0
"""Seconds between two tries to pause a task that is never paused."""

_Due: TypeAlias = tuple[float, Callable[[float], Command]]


class Agenda:
    """What is to be sent, by where the task stands. Times are in seconds of any steady clock."""

    def __init__(self, life: Lifecycle, standing: TaskStanding, errands: Errands) -> None:
        self._life = life
        self._standing = standing
        self._errands = errands
        self._pace = Pace()
        self._ask_from = -math.inf
        self._pause_from = -math.inf
        self._missed_pauses = 0
        """How often in a row a pause did not come to pass."""
        self._is_farewell_sent = False

    def next_command(self, now: float) -> Command | None:
        """The command to send now, if any; the caller sends it."""
        for due, make in self._waiting():
            if due <= now:
                command = make(now)
                self._pace.note(command.name, now)
                return command

        return None

    def next_time(self) -> float | None:
        """When `next_command` may have something, or None while there is nothing to say."""
        return min((due for due, _ in self._waiting()), default=None)

    def may_end(self, now: float) -> bool:
        """Whether no limit bars `end_task` now."""
        return self._pace.next_time("end_task") <= now

    def note_error(self, now: float) -> None:
        """An error came that may be a limit's: then what it answers counted, and was in vain."""
        if self._life.state is SessionState.ENDING:
            self._pace.note("end_task", now)
            self._is_farewell_sent = False
        else:
            self._pace.note("set_task", now)

    def miss_pause(self, now: float) -> int:
        """The task runs on; it is paused once more, later each time. Returns how often that was."""
        interval = min(PAUSE_INTERVAL_SECONDS * 2**self._missed_pauses, _LONGEST_INTERVAL)
        self._pause_from = now + interval
        self._missed_pauses = min(self._missed_pauses + 1, 10)
        return self._missed_pauses

    def meet_pause(self) -> None:
        """The task is paused; the next time it may be at once."""
        self._pause_from, self._missed_pauses = -math.inf, 0

    def _waiting(self) -> Iterator[_Due]:
        """What is to be sent, the most urgent first, each with the time from when on it may be."""
        if self._life.is_over:
            return

        if self._life.state is SessionState.ENDING:
            if not self._is_farewell_sent:
                yield self._pace.next_time("end_task"), self._say_farewell
            return

        if self._standing.needs_task:
            yield self._pace.next_time("set_task"), self._send_task
        elif self._standing.needs_pause:
            yield max(self._pace.next_time("pause_task"), self._pause_from), self._send_pause
        elif self._standing.needs_answer:
            yield max(self._pace.next_time("get_task"), self._ask_from), self._ask

        errand = self._errands.first
        if errand is not None and self._life.has_task:
            yield self._pace.next_time(errand.name), self._errands.send

    def _send_task(self, now: float) -> Command:
        self._await_answer(now)
        self._life.follow(Signal.RESUMED)
        return Command(*commands.set_task(self._standing.send_task()))

    def _send_pause(self, now: float) -> Command:
        self._await_answer(now)
        self._standing.send_pause()
        self._life.follow(Signal.PAUSED)
        return Command(*commands.pause_task())

    def _await_answer(self, now: float) -> None:
        """Ask only later what became of it: most servers acknowledge it long before."""
        self._ask_from = now + TASK_INTERVAL_SECONDS

    def _ask(self, _now: float) -> Command:
        self._standing.has_asked = True
        return Command(*commands.get_task())

    def _say_farewell(self, _now: float) -> Command:
        self._is_farewell_sent = True
        return Command(*commands.end_task())
