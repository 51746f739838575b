"""The times of further attempts at a session, each later than the one before. Pure.

Times are in seconds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

from palabra_agent.errors import PalabraError

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 15.0
_STEADY_SECONDS: Final = 30.0
"""A session that lasted this long was no failed attempt: the next loss starts afresh."""

_FIRST_REPLACEMENT_SECONDS: Final = 20.0
_LONGEST_REPLACEMENT_SECONDS: Final = 600.0


def decisive(errors: Sequence[PalabraError]) -> PalabraError:
    """The error that decides what is done: of several one that cannot get better."""
    return next((error for error in errors if not error.retryable), errors[0])


class Backoff:
    """Doubling pauses with jitter, so that many speakers do not come back in step."""

    def __init__(self) -> None:
        self._next = _FIRST_PAUSE_SECONDS

    def pause_after(self, lasted_seconds: float) -> float:
        """Seconds to wait after an attempt that lasted this long."""
        if lasted_seconds >= _STEADY_SECONDS:
            self._next = _FIRST_PAUSE_SECONDS

        pause = self._next
        self._next = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return pause * random.uniform(0.5, 1.0)


class ReplacementDelay:
    """Grows with each replacement in a row that was silent as well.

    Noise that sounds like speech is never answered, by no session.
    """

    def __init__(self) -> None:
        self._next = 0.0
        self._not_before = -math.inf

    def is_over(self, now: float) -> bool:
        """Tell whether to try another session now; then the next one has to wait twice as long."""
        if now < self._not_before:
            return False

        longer = max(2 * self._next, _FIRST_REPLACEMENT_SECONDS)
        self._next = min(longer, _LONGEST_REPLACEMENT_SECONDS)
        self._not_before = now + self._next
        return True

    def reset(self) -> None:
        """Begin anew: a session has answered."""
        self._next, self._not_before = 0.0, -math.inf
