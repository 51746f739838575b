"""The commands beside the task's own: texts that wait for their turn, interruptions. Pure.

An interruption goes out first, and what it drops is not spoken afterwards. Where a server does not
know it, it goes out once more by its older name.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from palabra_agent.errors import ConfigError, Problem
from palabra_agent.palabra.protocol.commands import EVERY_LANGUAGE, Command, CommandParts, Task

MOST_WAITING: Final = 60
"""Texts that may wait for their turn: a minute of `tts_task`."""

_ANSWER_SECONDS: Final = 5.0
"""For so long an error may be the answer to an errand; most are acknowledged long before."""

_INTERRUPTIONS: Final = frozenset({"interrupt_task", "flush_task"})


class Errands:
    """What is to be said beside the task. Times are in seconds of any steady clock."""

    def __init__(self) -> None:
        self._interruptions: deque[Command] = deque(maxlen=MOST_WAITING)
        self._texts: deque[Command] = deque()
        self._unanswered: Command | None = None
        """The latest that was sent, unless it is known what became of it."""
        self._sent_at = -math.inf

    @property
    def first(self) -> Command | None:
        """The one that goes out next."""
        waiting = self._interruptions or self._texts
        return waiting[0] if waiting else None

    def add(self, parts: CommandParts) -> None:
        """Have a command wait for its turn.

        Raises:
            ConfigError: Too many of them wait already.
        """
        command = Command(*parts)
        if command.name in _INTERRUPTIONS:
            self._drop(command.data)
            self._interruptions.append(command)
            return

        if len(self._texts) >= MOST_WAITING:
            reason = f"{MOST_WAITING} texts wait to be spoken already, one a second goes out"
            raise ConfigError([Problem("text", reason)])

        self._texts.append(command)

    def send(self, now: float) -> Command:
        """Take out the first one."""
        command = (self._interruptions or self._texts).popleft()
        self._unanswered, self._sent_at = command, now
        return command

    def answered(self, name: str) -> None:
        """The latest is known to be done, or refused; unless it has another name."""
        if self._unanswered is not None and self._unanswered.name == name:
            self._unanswered = None

    def may_be_refused(self, now: float) -> bool:
        """Whether an error that names no command may be about one of these."""
        return self._unanswered is not None and now - self._sent_at < _ANSWER_SECONDS

    def fall_back(self) -> bool:
        """A command is not known by its name; returns whether it was an interruption's."""
        unknown = self._unanswered
        if unknown is None or unknown.name not in _INTERRUPTIONS:
            return False

        self._unanswered = None
        if unknown.name == "interrupt_task":
            self._interruptions.appendleft(Command("flush_task", unknown.data))

        return True

    def _drop(self, interruption: Task) -> None:
        """Forget the texts that an interruption is meant for, too; translated ones are for all."""
        languages = set(interruption.get("languages", ()))
        self._texts = deque(
            text
            for text in self._texts
            if EVERY_LANGUAGE not in languages
            and (text.data.get("translate_text") or text.data.get("language") not in languages)
        )
