"""How much one meeting may still write."""

from __future__ import annotations

_MEGABYTE = 1_000_000


class UsedUp(Exception):
    """The meeting has written as much as it may."""


class Allowance:
    """A number of bytes for all files of a meeting together."""

    def __init__(self, megabytes: float) -> None:
        self._left = int(megabytes * _MEGABYTE)

    def check(self, size: int) -> None:
        """See whether so much may still be written.

        Raises:
            UsedUp: It may not.
        """
        if size > self._left:
            raise UsedUp

    def spend(self, size: int) -> None:
        """Take note of what was written."""
        self._left -= size
