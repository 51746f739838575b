"""A bounded queue of events, from callbacks that cannot wait to the one task that reads them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Final, Generic, TypeVar

from palabra_agent.concurrency import Turn
from palabra_agent.errors import PalabraError

EventT = TypeVar("EventT")

MOST_WAITING: Final = 2_000
"""With so many unread events the reader is gone; memory is finite."""

logger = logging.getLogger(__name__)


class EventStream(Generic[EventT]):
    """Events in order, until an end that is never dropped."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        """Begin without any.

        Args:
            now: The clock by which a reader gives way to others; the event loop's by default.
        """
        self._queue: asyncio.Queue[EventT | _End] = asyncio.Queue()
        self._now = now
        self._is_over = False
        self._has_dropped = False

    def put(self, event: EventT) -> None:
        """Add an event; never waits, and drops the oldest where too many are unread.

        The newest may be that there is no connection any more. Nothing comes after the end.
        """
        if self._is_over:
            return

        if self._queue.qsize() >= MOST_WAITING:
            self._queue.get_nowait()
            self._note_drop()

        self._queue.put_nowait(event)

    def end(self, error: PalabraError | None = None) -> None:
        """Let the events end here, with an error if there is one."""
        self._is_over = True
        self._queue.put_nowait(_End(error))

    async def events(self) -> AsyncIterator[EventT]:
        """Iterate over the events, for one reader at a time; however many wait, others run too.

        Raises:
            PalabraError: The error that ended them.
        """
        turn = Turn(self._now)
        while not isinstance(event := await self._queue.get(), _End):
            yield event
            await turn.give_way()

        if event.error is not None:
            raise event.error

    def _note_drop(self) -> None:
        if not self._has_dropped:
            self._has_dropped = True
            logger.warning("session events dropped")


class _End:
    def __init__(self, error: PalabraError | None) -> None:
        self.error = error
