"""Interprets one speaker: has a session at work, rebuilds it when lost, relieves it when silent."""

from __future__ import annotations

import asyncio
import logging

from palabra_agent.concurrency import Watched
from palabra_agent.errors import PalabraError
from palabra_agent.interpretation.backoff import Backoff, Patience
from palabra_agent.interpretation.downlinks import Downlinks
from palabra_agent.interpretation.shift import Assignment, Outlets, Shift
from palabra_agent.session import SessionOpener

logger = logging.getLogger(__name__)


async def interpret_speaker(
    wanted: Watched[Assignment], open_session: SessionOpener, outlets: Outlets
) -> None:
    """Interpret a speaker until cancelled.

    A lost session is rebuilt with growing pauses. What cannot get better by itself, such as refused
    settings or credentials, is tried again only when something else is wanted.
    """
    backoff, now = Backoff(), asyncio.get_running_loop().time
    async with asyncio.TaskGroup() as group:
        downlinks = Downlinks(outlets.channels, group)
        while True:
            asked, began = wanted.value, now()
            failure = await _Relay(wanted, open_session, outlets, downlinks).run()
            outlets.on_trouble(failure)
            if failure.retryable:
                pause = backoff.pause_after(now() - began)
                await asyncio.sleep(max(pause, failure.retry_after_seconds or 0.0))
            else:
                await _other_wish(wanted, asked)


class _Relay:
    """Sessions that follow each other without a gap: the next is ready before the last one goes."""

    def __init__(
        self,
        wanted: Watched[Assignment],
        open_session: SessionOpener,
        outlets: Outlets,
        downlinks: Downlinks,
    ) -> None:
        self._wanted = wanted
        self._open_session = open_session
        self._outlets = outlets
        self._downlinks = downlinks
        self._changed = asyncio.Event()
        self._working: dict[Shift, asyncio.Task[None]] = {}
        self._relief: Shift | None = None
        self._patience = Patience()
        self._now = asyncio.get_running_loop().time

    async def run(self) -> PalabraError:
        """Have a session at work until there is none; return what ended the last."""
        async with asyncio.TaskGroup() as group:
            on_duty = self._begin(group)
            while True:
                await self._changed.wait()
                self._changed.clear()
                self._heed_relief(on_duty)
                if self._relief is not None and (self._relief.is_ready or on_duty.failure):
                    on_duty = self._hand_over(on_duty, self._relief)

                if on_duty.failure is not None:
                    return on_duty.failure

                if on_duty.was_answered:
                    self._patience.rest()

                if on_duty.is_silent and self._relief is None:
                    on_duty.is_silent = self._patience.is_over(self._now())
                    self._relief = self._begin(group) if on_duty.is_silent else None

    def _begin(self, group: asyncio.TaskGroup) -> Shift:
        shift = Shift(
            self._wanted, self._open_session, self._outlets, self._downlinks, self._changed.set
        )
        self._working[shift] = group.create_task(shift.work(), name="shift")
        return shift

    def _heed_relief(self, on_duty: Shift) -> None:
        """Send away a relief that is not needed any more, or that could not come."""
        relief = self._relief
        if relief is None:
            return

        if relief.failure is not None:
            on_duty.is_silent = False
            if not relief.failure.retryable:
                self._outlets.on_trouble(relief.failure)
        elif on_duty.is_silent or on_duty.failure is not None:
            return

        self._dismiss(relief)
        self._relief = None

    def _hand_over(self, on_duty: Shift, relief: Shift) -> Shift:
        if on_duty.failure is None:
            logger.warning("a silent session was replaced")
            self._outlets.on_relieved()

        self._dismiss(on_duty)
        self._relief = None
        return relief

    def _dismiss(self, shift: Shift) -> None:
        self._working.pop(shift).cancel()


async def _other_wish(wanted: Watched[Assignment], asked: Assignment) -> None:
    await wanted.wait_until(lambda now: not now.asks_the_same(asked))
