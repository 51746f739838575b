"""What happens on a transport, on its way to whoever reads it: in order, and never without end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from palabra_agent.palabra.transports.port import TransportEvent

_EVENT_LIMIT: Final = 2000

logger = logging.getLogger(__name__)


class EventQueue:
    """Takes events from callbacks, which cannot wait, for one reader."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[TransportEvent] = asyncio.Queue(_EVENT_LIMIT)

    def put(self, event: TransportEvent) -> None:
        """Tell that something happened."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            # two thousand unread events: nobody reads any more, and memory is finite
            logger.warning("session event dropped")

    async def events(self) -> AsyncIterator[TransportEvent]:
        """Everything that happens, in order; never ends."""
        while True:
            yield await self._queue.get()
