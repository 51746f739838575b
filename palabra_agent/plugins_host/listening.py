"""Tells one plugin what is said: one event after the other, in order, at its own pace."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from palabra_agent.errors import PluginError
from palabra_agent.plugin import TranscriptEvent
from palabra_agent.plugins_host.asking import Asking
from palabra_agent.plugins_host.questions import ON_TRANSCRIPT
from palabra_agent.plugins_host.transcripts import EventQueue

logger = logging.getLogger(__name__)


class Listening:
    """What one plugin is told; a rest of its only delays what the queue can hold."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._queue = EventQueue()
        self._hearing: asyncio.Timeout | None = None
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        """Set while nothing is being told."""
        self._idle.set()
        self._now = asyncio.get_running_loop().time

    def put(self, event: TranscriptEvent) -> None:
        """Let an event wait for the plugin; never waits."""
        self._queue.put(event)
        if not self._asking.rest_from(ON_TRANSCRIPT).lasts(self._now()):
            self._idle.clear()

    async def heard(self) -> None:
        """Wait until the plugin has heard everything, or rests, or hears nothing any more."""
        await self._idle.wait()

    async def run(self, name: str, plugin: object) -> None:
        """Tell a plugin, called by a name, until this is closed and nothing waits any more."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._hearing:
                    while await self._has_more() and await self._is_rested():
                        await self._tell(name, plugin)
        finally:
            self._hearing = None
            self._idle.set()
            untold = len(self._queue) + self._queue.dropped
            if untold:
                facts = {"plugin": name, "count": untold}
                logger.warning("transcripts were not told to a plugin", extra=facts)

    def close(self, hear_until: float) -> None:
        """Take no more; what waits may still be told until a moment on the loop's clock."""
        self._closing.set()
        self._queue.close()
        if self._hearing is not None:
            self._hearing.reschedule(hear_until)

    async def _has_more(self) -> bool:
        if not self._queue:
            self._idle.set()

        return await self._queue.has_more()

    async def _tell(self, name: str, plugin: object) -> None:
        with suppress(PluginError):
            await self._asking.ask(name, plugin, ON_TRANSCRIPT, self._queue.pop())

    async def _is_rested(self) -> bool:
        """Wait until the plugin may be told something; false where it is closed before."""
        rest = self._asking.rest_from(ON_TRANSCRIPT)
        if not rest.lasts(self._now()):
            return True

        self._idle.set()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(rest.ends):
                await self._closing.wait()

        if self._closing.is_set():
            return False

        self._idle.clear()
        return True
