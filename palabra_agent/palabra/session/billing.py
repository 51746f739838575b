"""The bill as we see it: for how long a task has been running, which is what Palabra charges."""

from __future__ import annotations


class BillingMeter:
    """Counts the seconds in which a task runs. Times are in seconds of any steady clock."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def observe(self, *, is_running: bool, now: float, since: float | None = None) -> None:
        """Learn whether the task runs.

        Args:
            is_running: Whether it does, as far as is known.
            now: The time.
            since: Where it has begun to run: when it was told to, which nobody may have confirmed
                at once.
        """
        if is_running and self._since is None:
            self._since = now if since is None else since
        elif not is_running and self._since is not None:
            self._before += now - self._since
            self._since = None

    def seconds(self, now: float) -> float:
        """What was counted so far."""
        return self._before + (now - self._since if self._since is not None else 0.0)
