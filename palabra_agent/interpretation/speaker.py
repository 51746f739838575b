"""Interprets one speaker: has a session at work, rebuilds it when lost, relieves it when silent."""

from __future__ import annotations

import asyncio
import logging
import time

from palabra_agent.errors import PalabraError
from palabra_agent.interpretation.backoff import Backoff
from palabra_agent.interpretation.ports import Brief, SessionOpener
from palabra_agent.interpretation.shift import Assignment, Outlets, Shift
from palabra_agent.interpretation.watched import Watched

logger = logging.getLogger(__name__)


async def interpret_speaker(
    wanted: Watched[Assignment], open_session: SessionOpener, outlets: Outlets
) -> None:
    """Interpret a speaker until cancelled.

    A lost session is rebuilt with growing pauses. What cannot get better by itself, such as refused
    settings or credentials, is tried again only when something else is wanted.
    """
    backoff = Backoff()
    while True:
        brief, began = wanted.value.brief, time.monotonic()
        failure = await _Relay(wanted, open_session, outlets).run()
        outlets.on_trouble(failure)
        if failure.retryable:
            pause = backoff.pause_after(time.monotonic() - began)
            await asyncio.sleep(max(pause, failure.retry_after_seconds or 0.0))
        else:
            await _other_brief(wanted, brief)


class _Relay:
    """Sessions that follow each other without a gap: the next is ready before the last one goes."""

    def __init__(
        self, wanted: Watched[Assignment], open_session: SessionOpener, outlets: Outlets
    ) -> None:
        self._wanted = wanted
        self._open_session = open_session
        self._outlets = outlets
        self._changed = asyncio.Event()
        self._working: dict[Shift, asyncio.Task[None]] = {}

    async def run(self) -> PalabraError:
        """Have a session at work until there is none; return what ended the last."""
        async with asyncio.TaskGroup() as group:
            on_duty, relief = self._begin(group), None
            while True:
                await self._changed.wait()
                self._changed.clear()
                if relief is not None and relief.is_ready:
                    logger.warning("a silent session was replaced")
                    self._outlets.on_relieved()
                    self._working.pop(on_duty).cancel()
                    on_duty, relief = relief, None

                if relief is not None and relief.failure is not None:
                    relief = None

                if on_duty.failure is not None:
                    if relief is None:
                        return on_duty.failure
                    on_duty, relief = relief, None

                if on_duty.is_silent and relief is None:
                    on_duty.is_silent = False
                    relief = self._begin(group)

    def _begin(self, group: asyncio.TaskGroup) -> Shift:
        shift = Shift(self._wanted, self._open_session, self._outlets, self._changed.set)
        self._working[shift] = group.create_task(shift.work(), name="shift")
        return shift


async def _other_brief(wanted: Watched[Assignment], brief: Brief) -> None:
    await wanted.wait_until(lambda now: now.brief != brief)
