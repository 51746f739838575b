"""The tail of a session: what was heard before `end_task` is still delivered, then it is quiet."""

from __future__ import annotations


class Tail:
    """Knows since when there is nothing left to say, and whether that is long enough."""

    def __init__(self) -> None:
        self.is_awaited = False
        """Whether the session ends with it."""
        self._quiet_since = 0.0
        self._wanted_seconds = 0.0

    def await_end(self, now: float, quiet_seconds: float) -> None:
        """End as soon as it has been quiet for so long from now on, or from the last speech on."""
        self.is_awaited = True
        self._quiet_since = now
        self._wanted_seconds = quiet_seconds

    def observe(self, now: float, *, is_drained: bool) -> bool:
        """Note whether anything is left; says whether the tail is over."""
        if not is_drained:
            self._quiet_since = now
            return False

        return self.is_awaited and now - self._quiet_since >= self._wanted_seconds
