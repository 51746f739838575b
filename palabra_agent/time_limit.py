"""How long a room may be interpreted: counted from one moment, though the limit may change."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self


class TimeIsUp(TimeoutError):
    """The limit has passed: this one, and not some other deadline within."""


class TimeLimit:
    """A block that ends with `TimeIsUp` when its time is over; it begins when this is made.

    A limit that has passed already ends the block at once.
    """

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
        """None: for ever."""
        self._began = asyncio.get_running_loop().time()
        self._timeout = asyncio.timeout_at(self._end)
        self._is_over = False

    def follow(self, minutes: float | None) -> None:
        """Have another limit from now on."""
        if self._is_over or self._timeout.expired() or minutes == self.minutes:
            return

        self.minutes = minutes
        self._timeout.reschedule(self._end)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise TimeIsUp from None

    @property
    def _end(self) -> float | None:
        return None if self.minutes is None else self._began + self.minutes * 60
