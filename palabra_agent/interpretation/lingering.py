"""Who still counts as there: short absences are not departures.

A reconnect, of the speaker or of ourselves, makes people vanish and come back as new participants
with new tracks. Whatever belongs to a speaker must survive that.
"""

from __future__ import annotations

import math
from collections.abc import Collection


class Lingering:
    """Remembers who was there, and how long they may be missed. Times are in seconds."""

    def __init__(self, linger_seconds: float) -> None:
        self.linger_seconds = linger_seconds
        """For those who are missed from now on."""
        self._present: frozenset[str] = frozenset()
        self._leave_at: dict[str, float] = {}

    def observe(
        self, present: Collection[str], *, is_connected: bool, now: float
    ) -> frozenset[str]:
        """Take in who is there now; return who counts as there.

        While we are disconnected ourselves nobody's absence counts; their time starts when we are
        back.
        """
        missing = (self._present | self._leave_at.keys()) - set(present)
        self._present = frozenset(present)
        self._leave_at = {who: self._deadline(who, is_connected, now) for who in missing}
        self._leave_at = {who: at for who, at in self._leave_at.items() if at > now}
        return self._present | self._leave_at.keys()

    @property
    def next_departure(self) -> float | None:
        """When the next one who is missed stops counting, or None."""
        earliest = min(self._leave_at.values(), default=math.inf)
        return None if math.isinf(earliest) else earliest

    def _deadline(self, identity: str, is_connected: bool, now: float) -> float:
        if not is_connected:
            return math.inf

        known = self._leave_at.get(identity, math.inf)
        return now + self.linger_seconds if math.isinf(known) else known
