"""Counts the times at which the whole process stood still: a machine that is starved, or was moved.

Sound that comes meanwhile is late, and WebRTC's jitter buffers keep it late for some seconds. The
operator, who alone can help, learns of it from the log and from `palabra.status`.

A thread of its own waits for a short time again and again. Where the event loop alone is kept busy,
that thread goes on; where it wakes up late, and the process has not used the processor meanwhile,
all threads stood still, those of LiveKit's native part among them.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

_TICK_SECONDS: Final = 0.05
_SHORTEST_SECONDS: Final = 0.15
"""Less than this is usual where programs share a machine."""
_BUSY_SHARE: Final = 0.5
"""Of the time until a late thread ran: with more, it waited for Python's lock, which one held."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Stops:
    """The stops of this process since the room is served; times are in seconds."""

    count: int = 0
    longest: float = 0.0
    """What is told of a length is true to 50 ms."""
    last: float = 0.0
    ended_at: float = 0.0
    """The time at which the last one ended, by the monotonic clock."""

    def note(self, late: float, busy: float, now: float) -> bool:
        """Judge how a thread woke up; tell whether the process had been stopped.

        Args:
            late: So much after its time.
            busy: So much processor time was used by the process since it fell asleep.
            now: The time by the monotonic clock.
        """
        if late < _SHORTEST_SECONDS or busy > _BUSY_SHARE * late:
            return False

        self.count += 1
        self.last, self.ended_at = late, now
        self.longest = max(self.longest, late)
        return True


@contextmanager
def counting_stops() -> Generator[Stops]:
    """Count for the length of a block, and log each one."""
    stops, is_over = Stops(), threading.Event()
    watching = threading.Thread(target=_watch, args=(stops, is_over), name="stops", daemon=True)
    watching.start()
    try:
        yield stops
    finally:
        is_over.set()
        watching.join()


def _watch(stops: Stops, is_over: threading.Event) -> None:
    slept_at, used = time.monotonic(), time.process_time()
    while not is_over.wait(_TICK_SECONDS):
        woken_at, used_now = time.monotonic(), time.process_time()
        late = woken_at - slept_at - _TICK_SECONDS
        if stops.note(late, used_now - used, woken_at):
            logger.warning("the process was stopped", extra={"seconds": round(late, 2)})

        slept_at, used = woken_at, used_now
