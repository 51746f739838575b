"""A bounded queue of events, from callbacks that cannot wait to the one task that reads them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, Generic, TypeVar

from palabra_agent.errors import PalabraError

EventT = TypeVar("EventT")

_LIMIT: Final = 2_000
"""With so many unread events the reader is gone; memory is finite."""

logger = logging.getLogger(__name__)


class EventStream(Generic[EventT]):
    """Events in order, until an end that is never dropped."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[EventT | _End] = asyncio.Queue()

    def put(self, event: EventT) -> None:
        """Add an event; never waits, and drops the event where nothing is read any more."""
        if self._queue.qsize() < _LIMIT:
            self._queue.put_nowait(event)
        else:
            logger.warning("session event dropped")

    def end(self, error: PalabraError | None = None) -> None:
        """Let the events end here, with an error if there is one."""
        self._queue.put_nowait(_End(error))

    async def events(self) -> AsyncIterator[EventT]:
        """Iterate over the events, for one reader at a time.

        Raises:
            PalabraError: The error that ended them.
        """
        while not isinstance(event := await self._queue.get(), _End):
            yield event

        if event.error is not None:
            raise event.error


class _End:
    def __init__(self, error: PalabraError | None) -> None:
        self.error = error
