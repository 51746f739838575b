"""The bill: how long a task has been running, which is what Palabra charges for."""

from __future__ import annotations


class Meter:
    """Counts the seconds between starts and stops."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self, now: float) -> None:
        """Count from now on, if it does not already."""
        if self._since is None:
            self._since = now

    def stop(self, now: float) -> None:
        """Count no longer."""
        self._before = self.seconds(now)
        self._since = None

    def seconds(self, now: float) -> float:
        """What was counted so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)
