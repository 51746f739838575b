"""How often a client may send each command, as Palabra documents it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

_TOLERANCE_SECONDS: Final = 0.05
"""A client that keeps the pace to the millisecond is not refused for the network's jitter."""


@dataclass(frozen=True, slots=True)
class _Limit:
    bucket: str
    """Whose count it is where buckets are shared."""
    count: int
    seconds: float


_LIMITS: Final = {
    "set_task": _Limit("set_task, get_task", 1, 2.0),
    "get_task": _Limit("set_task, get_task", 1, 2.0),
    "pause_task": _Limit("pause_task, end_task", 1, 3.0),
    "end_task": _Limit("pause_task, end_task", 1, 3.0),
    "tts_task": _Limit("tts_task", 60, 60.0),
}


class RateLimits:
    """Counts the commands of one session."""

    def __init__(self, mode: Literal["separate", "shared", "off"]) -> None:
        self._mode = mode
        self._accepted: dict[str, deque[float]] = {}

    def admits(self, command: str, now: float) -> bool:
        """Whether a command may be executed now; if so, it counts."""
        limit = _LIMITS.get(command)
        if limit is None or self._mode == "off":
            return True

        bucket = limit.bucket if self._mode == "shared" else command
        accepted = self._accepted.setdefault(bucket, deque())
        while accepted and now - accepted[0] >= limit.seconds - _TOLERANCE_SECONDS:
            accepted.popleft()
        if len(accepted) >= limit.count:
            return False

        accepted.append(now)
        return True
