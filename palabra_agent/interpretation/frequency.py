"""A bound on how often something is done for each person. Pure."""

from __future__ import annotations


class FrequencyLimit:
    """Allows a person so much in a row, and then one more every few seconds."""

    def __init__(self, burst: int, every_seconds: float) -> None:
        """Begin with nothing done.

        Args:
            burst: So much is allowed in a row.
            every_seconds: After so long it is allowed once more.
        """
        self._span = burst * every_seconds
        self._every_seconds = every_seconds
        self._free_at: dict[str, float] = {}
        """The time at which a person is owed nothing any more, by identity."""

    def allows(self, identity: str, now: float) -> bool:
        """Tell whether it may be done for a person now, and count it. Times are in seconds."""
        self._free_at = {who: at for who, at in self._free_at.items() if at > now}
        free_at = self._free_at.get(identity, now) + self._every_seconds
        if free_at - now > self._span:
            return False

        self._free_at[identity] = free_at
        return True
