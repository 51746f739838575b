"""A value that changes, for those who only care about its newest state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Watched(Generic[T]):
    """A value and a way to wait for its changes; what nobody saw in time is skipped."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._changed = asyncio.Event()

    @property
    def value(self) -> T:
        """The value now."""
        return self._value

    def set(self, value: T) -> None:
        """Replace the value; those who wait are told unless it is equal to the old one."""
        if value == self._value:
            return

        self._value = value
        # a new event for the next change: everybody who waits holds the old one
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def wait_until(self, holds: Callable[[T], bool]) -> T:
        """Return the value as soon as something holds of it. Cancelling it changes nothing."""
        while not holds(self._value):
            await self._changed.wait()

        return self._value

    async def changes(self) -> AsyncIterator[T]:
        """Yield the value now, then the newest after each change, for ever."""
        while True:
            seen, changed = self._value, self._changed
            yield seen
            await changed.wait()
