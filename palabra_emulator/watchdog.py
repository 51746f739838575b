"""The input watchdog: a running session that gets no sound, not even silence, is ended."""

from __future__ import annotations


class Watchdog:
    """Measures how long input has been missing."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._fed_at = 0.0

    @property
    def complaint(self) -> str:
        """What the server says at the end."""
        return (
            f"No input audio received for {self._limit:g}s. "
            "Use the pause_task command for intentional pauses."
        )

    def feed(self, now: float) -> None:
        """Input has just arrived, or is expected from now on."""
        self._fed_at = now

    def is_starved(self, now: float) -> bool:
        """Whether input has been missing for too long; never with a limit of 0."""
        return 0 < self._limit <= now - self._fed_at
