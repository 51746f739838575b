"""Whether the client is there, and how long a session waits for one that is not."""

from __future__ import annotations


class Presence:
    """The comings and goings of one client."""

    def __init__(self, join_by: float) -> None:
        self.join_by = join_by
        """Until when a client that never came is waited for."""
        self._is_present = False
        self._away_since: float | None = None

    @property
    def has_joined(self) -> bool:
        """Whether the client was ever there."""
        return self._is_present or self._away_since is not None

    def join(self) -> None:
        """The client is there, for the first time or again."""
        self._is_present = True
        self._away_since = None

    def leave(self, now: float) -> bool:
        """The client is gone; false if it was not there."""
        if not self._is_present:
            return False

        self._is_present = False
        self._away_since = now
        return True

    def given_up(self, now: float, grace_seconds: float) -> str | None:
        """Why the client is not waited for any longer, if so."""
        if not self.has_joined:
            return "never joined" if now >= self.join_by else None
        if self._away_since is not None and now - self._away_since >= grace_seconds:
            return "client left"

        return None
