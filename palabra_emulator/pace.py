"""The pace at which sound arrives in messages: too fast, too slow, or not at all.

Live input keeps pace with the clock. What runs ahead of it by more than two seconds is too fast;
less than three quarters of what four seconds need is too slow; three seconds without any is a
stall, long before the watchdog's ten. Each is said once, until the pace is right again.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Final

_MOST_AHEAD_SECONDS: Final = 2.0
_NO_LONGER_AHEAD_SECONDS: Final = 1.0
_WINDOW_SECONDS: Final = 4.0
_SLOW_SHARE: Final = 0.75
_NO_LONGER_SLOW_SHARE: Final = 0.9
_GAP_SECONDS: Final = 1.0
"""Whether a longer gap is slowness or a stall shows at its end."""

_STALL_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Complaint:
    """A pace that is wrong, as a warning says it."""

    code: str
    text: str


TOO_FAST: Final = Complaint(
    "AUDIO_STREAM_TOO_FAST", "Audio stream is arriving faster than real-time"
)
TOO_SLOW: Final = Complaint(
    "AUDIO_STREAM_TOO_SLOW", "Audio stream is arriving slower than real-time"
)
STALLED: Final = Complaint("AUDIO_STREAM_STALLED", "Audio stream has stalled")


class Pace:
    """Compares the sound of one running task with the clock."""

    def __init__(self, now: float) -> None:
        self._last_at = now
        self._window_began = math.inf
        """Sound that has not begun yet is not slow."""
        self._ahead = 0.0
        self._arrivals: deque[tuple[float, float]] = deque()
        self._is_fast = self._is_slow = self._is_stalled = False

    def arrived(self, seconds: float, now: float) -> Complaint | None:
        """Note sound that has just arrived."""
        if self._is_stalled or math.isinf(self._window_began):
            self._arrivals.clear()
            self._window_began = now
            self._is_stalled = False

        self._ahead = max(0.0, self._ahead - (now - self._last_at)) + seconds
        self._last_at = now
        self._arrivals.append((now, seconds))
        if self._ahead <= _NO_LONGER_AHEAD_SECONDS:
            self._is_fast = False
        if self._ahead <= _MOST_AHEAD_SECONDS or self._is_fast:
            return None

        self._is_fast = True
        return TOO_FAST

    def check(self, now: float) -> Complaint | None:
        """Note that time has passed."""
        if now - self._last_at >= _STALL_SECONDS:
            is_new, self._is_stalled = not self._is_stalled, True
            return STALLED if is_new else None

        while self._arrivals and now - self._arrivals[0][0] > _WINDOW_SECONDS:
            self._arrivals.popleft()
        is_between = now - self._last_at >= _GAP_SECONDS
        if is_between or now - self._window_began < _WINDOW_SECONDS:
            return None

        share = sum(seconds for _, seconds in self._arrivals) / _WINDOW_SECONDS
        if share >= _NO_LONGER_SLOW_SHARE:
            self._is_slow = False
        if share >= _SLOW_SHARE or self._is_slow:
            return None

        self._is_slow = True
        return TOO_SLOW
