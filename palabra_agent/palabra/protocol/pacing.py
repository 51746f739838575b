"""How often Palabra may be told what: its rate limits, as the times at which a command may go.

The limits are those of its documentation, with a little for the clocks. Whether commands that stand
on one row of it share their allowance is not known, so they do here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What some commands share."""

    name: str
    interval_seconds: float


TASK_INTERVAL_SECONDS: Final = 2.1
"""Between two of `set_task` and `get_task`: two seconds and a little."""

PAUSE_INTERVAL_SECONDS: Final = 3.1
"""Between two of `pause_task` and `end_task`: three seconds and a little."""

SPEECH_INTERVAL_SECONDS: Final = 1.05
"""Between two of `tts_task`: sixty a minute, spread evenly."""

_TASK: Final = _Allowance("task", TASK_INTERVAL_SECONDS)
_PAUSE: Final = _Allowance("pause", PAUSE_INTERVAL_SECONDS)
_ALLOWANCES: Final[Mapping[str, _Allowance]] = {
    "set_task": _TASK,
    "get_task": _TASK,
    "pause_task": _PAUSE,
    "end_task": _PAUSE,
    "tts_task": _Allowance("speech", SPEECH_INTERVAL_SECONDS),
}


class Pace:
    """When each command may be sent next. Times are in seconds of any steady clock."""

    def __init__(self) -> None:
        self._free_at: dict[str, float] = {}

    def next_time(self, command: str) -> float:
        """The earliest time for a command; minus infinity where it has no limit."""
        allowance = _ALLOWANCES.get(command)
        return self._free_at.get(allowance.name, -math.inf) if allowance else -math.inf

    def note(self, command: str, now: float) -> None:
        """A command is sent now; or one that was sent may have counted, as an error suggests."""
        allowance = _ALLOWANCES.get(command)
        if allowance is not None:
            self._free_at[allowance.name] = now + allowance.interval_seconds
