"""How long to wait before trying again."""

from __future__ import annotations

import random
from typing import Final

_FIRST_SECONDS: Final = 0.5
_LONGEST_SECONDS: Final = 15.0
_STEADY_SECONDS: Final = 30.0
"""A session that lasted this long was no failed attempt: the next loss starts afresh."""


class Backoff:
    """Doubling pauses with jitter, so that many speakers do not come back in step."""

    def __init__(self) -> None:
        self._next = _FIRST_SECONDS

    def pause_after(self, lasted_seconds: float) -> float:
        """Seconds to wait after an attempt that lasted this long."""
        if lasted_seconds >= _STEADY_SECONDS:
            self._next = _FIRST_SECONDS

        pause = self._next
        self._next = min(pause * 2, _LONGEST_SECONDS)
        return pause * random.uniform(0.5, 1.0)
