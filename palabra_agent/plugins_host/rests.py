"""How long a plugin that gave no answer in time is left alone. Pure; times in seconds."""

from __future__ import annotations

import math
from typing import Final

FIRST_REST_SECONDS: Final = 60.0
LONGEST_REST_SECONDS: Final = 3600.0


class Rest:
    """One plugin's rest from one kind of question."""

    def __init__(self) -> None:
        self._began = -math.inf
        self._seconds = FIRST_REST_SECONDS
        self.ends = -math.inf
        """When it may be asked again; in the past where it does not rest."""

    def lasts(self, now: float) -> bool:
        """Whether it is to be left alone."""
        return now < self.ends

    def begin(self, asked: float, now: float) -> None:
        """Begin a rest, each twice as long as the last.

        Of several questions that were under way when the first of them got no answer, that one
        alone counts.
        """
        if asked <= self._began:
            return

        self._began = now
        self.ends = now + self._seconds
        self._seconds = min(2 * self._seconds, LONGEST_REST_SECONDS)

    def end(self) -> None:
        """Learn that it answered after all."""
        self.ends = -math.inf
        self._seconds = FIRST_REST_SECONDS
