"""What one session has to tell, from whoever learns of it to the one who listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from palabra_agent.errors import PalabraError
from palabra_agent.session import SessionEvent

_LIMIT: Final = 2_000
"""So many untold events, and nobody listens any more; memory is finite."""

logger = logging.getLogger(__name__)


class EventStream:
    """Events in order, until the one end of it all, which is never lost."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[SessionEvent | PalabraError | None] = asyncio.Queue()

    def tell(self, event: SessionEvent) -> None:
        """Something happened; never waits."""
        if self._queue.qsize() < _LIMIT:
            self._queue.put_nowait(event)
        else:
            logger.warning("session event dropped")

    def end(self, error: PalabraError | None = None) -> None:
        """Nothing more happens; the error is what ended it, if it was not us."""
        self._queue.put_nowait(error)

    async def events(self) -> AsyncIterator[SessionEvent]:
        """What happens, to one listener at a time.

        Raises:
            PalabraError: What ended it.
        """
        while (told := await self._queue.get()) is not None:
            if isinstance(told, PalabraError):
                raise told

            yield told
