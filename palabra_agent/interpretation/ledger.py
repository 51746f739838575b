"""What the interpretation of a room cost: the minutes that Palabra charges, by speaker."""

from __future__ import annotations

from collections import defaultdict


class Ledger:
    """Counts sessions and their time; identities never leave it."""

    def __init__(self) -> None:
        self._seconds = defaultdict[str, float](float)
        self.sessions = 0
        """How many sessions have ended."""
        self.reliefs = 0
        """How many of them were replaced because they had fallen silent."""

    def bill(self, identity: str, seconds: float) -> None:
        """A session of a speaker has ended, for which so much was charged."""
        self.sessions += 1
        self._seconds[identity] += seconds

    def relieve(self) -> None:
        """A session was replaced."""
        self.reliefs += 1

    def seconds_of(self, identity: str) -> float:
        """What was charged for one speaker."""
        return self._seconds.get(identity, 0.0)

    def statement(self) -> dict[str, float]:
        """The bill of the room, without names: for the log."""
        return {
            "billed_seconds": round(sum(self._seconds.values()), 3),
            "billed_minutes": round(sum(self._seconds.values()) / 60, 2),
            "speakers": len(self._seconds),
            "sessions": self.sessions,
            "reliefs": self.reliefs,
        }
