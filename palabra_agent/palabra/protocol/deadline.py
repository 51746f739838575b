"""Until when Palabra may take its time, and what is said of it then. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from palabra_agent.palabra.protocol.lifecycle import DEADLINE_SECONDS, SessionState

_WORDS: Final[Mapping[SessionState, str]] = {
    SessionState.CONFIGURING: "was not ready",
    SessionState.RUNNING: "did not answer",
    SessionState.RESUMING: "did not hear again",
    SessionState.ENDING: "did not end it",
}


class Deadline:
    """Runs while something is expected of Palabra, anew in each state."""

    def __init__(self) -> None:
        self.at = math.inf
        """When to give up; infinity while nothing is expected."""
        self._state = SessionState.IDLE
        self._seconds = math.inf

    def follow(self, state: SessionState, now: float, *, is_settled: bool) -> None:
        """Learn of the state, and whether Palabra is known to do what it was told.

        What runs and is told something new goes on meanwhile, so there is as long as at first.
        """
        waits = state is SessionState.RUNNING and not is_settled
        seconds = DEADLINE_SECONDS.get(SessionState.CONFIGURING if waits else state, math.inf)
        if (state, seconds) != (self._state, self._seconds):
            self._state, self._seconds = state, seconds
            self.at = now + seconds

    def renew(self, now: float) -> None:
        """Something of what was expected came, and more may."""
        self.at = now + self._seconds

    @property
    def words(self) -> str:
        """What is said when it has passed."""
        return f"Palabra {_WORDS[self._state]} within {self._seconds:g} s"
