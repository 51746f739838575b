"""Whether a session has fallen silent: speech goes in, and neither words nor sound come out. Pure.

A session may be connected, running and dead. Only what it does with speech can tell.
"""

from __future__ import annotations

import math
from typing import Final

_LONGEST_SECONDS: Final = 300.0


class SilenceWatch:
    """Counts the speech that was answered with nothing."""

    def __init__(self, limit_seconds: float) -> None:
        """Begin without suspicion.

        Args:
            limit_seconds: So much speech without any answer is suspicious; infinity for none.
        """
        self._limit_seconds = limit_seconds
        self._unanswered_ms = 0.0

    def hear(self, speech_ms: float) -> bool:
        """Take note of some speech; returns whether the silence is suspicious now.

        It says so once; the next suspicion takes twice as long, as noise may never be answered.
        """
        if not speech_ms:
            return False

        self._unanswered_ms += speech_ms
        if self._unanswered_ms < self._limit_seconds * 1000:
            return False

        self._unanswered_ms = 0.0
        if not math.isinf(self._limit_seconds):
            self._limit_seconds = min(2 * self._limit_seconds, _LONGEST_SECONDS)

        return True

    def answered(self) -> None:
        """Words or sound came."""
        self._unanswered_ms = 0.0
