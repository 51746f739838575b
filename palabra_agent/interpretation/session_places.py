"""Places for a room's Palabra sessions: the most at a time, and the most that begin in a minute.

The plan says which speakers are interpreted. A session takes its time to end, though, and a lost
one is tried again; the bounds here hold for all that there are, whatever brought them about.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from palabra_agent.interpretation.voice_change import TIMER_SECONDS

_SPAN_SECONDS: Final = 60.0
_BEGINNINGS: Final = 10
_BEGINNINGS_EACH: Final = 3
"""So many sessions begin in a minute, and for each speaker that the room allows so many more."""


class SessionPlaces:
    """Has each session wait until there is a place for it."""

    def __init__(self, most: int, on_change: Callable[[], None]) -> None:
        """Begin with all places free.

        Args:
            most: Sessions at a time.
            on_change: Called when `is_hasty` may be another.
        """
        self._most = most
        self._on_change = on_change
        self._taken = self._waiting = 0
        self._begun: deque[float] = deque()
        self._freed = asyncio.Event()

    def follow(self, most: int) -> None:
        """Have so many places from now on; no session is ended for it."""
        if most != self._most:
            self._most = most
            self._freed.set()

    @asynccontextmanager
    async def place(self, *, is_relief: bool) -> AsyncGenerator[None]:
        """Have a place for the length of a block, in which a session is opened and ended.

        Args:
            is_relief: The session takes over from one that gives its place up as soon as this one
                is ready: it need not wait for a free one.
        """
        await self._until_allowed(is_relief=is_relief)
        self._begun.append(asyncio.get_running_loop().time())
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            self._freed.set()

    @property
    def is_hasty(self) -> bool:
        """True while a session waits because too many have begun."""
        return self._waiting > 0 and self._next_beginning() is not None

    async def _until_allowed(self, *, is_relief: bool) -> None:
        was_hasty = False
        self._waiting += 1
        try:
            while True:
                due = self._next_beginning()
                if due is None and (is_relief or self._taken < self._most):
                    return

                if due is not None and not was_hasty:
                    was_hasty = True
                    self._on_change()

                self._freed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        await self._freed.wait()
        finally:
            self._waiting -= 1
            if was_hasty:
                self._on_change()

    def _next_beginning(self) -> float | None:
        """The time at which another session may begin; None for now."""
        now = asyncio.get_running_loop().time()
        while self._begun and self._begun[0] + _SPAN_SECONDS <= now + TIMER_SECONDS:
            self._begun.popleft()

        allowed = _BEGINNINGS + _BEGINNINGS_EACH * self._most
        return None if len(self._begun) < allowed else self._begun[0] + _SPAN_SECONDS
