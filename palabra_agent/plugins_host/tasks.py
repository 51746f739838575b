"""A plugin's code in a task of its own: whatever it raises stays there, and it may never end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, TypeVar, cast

T = TypeVar("T")

_STANDSTILL_SECONDS: Final = 0.1
"""A timer that rings so late has waited for other code that computed without awaiting."""

_going_on: Final[set[asyncio.Task[Any]]] = set()
"""Tasks that have not ended: one that is left behind would be destroyed without a reference."""


class PluginTask(Generic[T]):
    """A plugin's code in a task: its error is kept as a fact, and never raised.

    It is in no task group, which would wait for it: one that ignores its cancellation may never
    end, and can only be left behind.
    """

    def __init__(self, work: Callable[[], Awaitable[T]], name: str) -> None:
        self.error: BaseException | None = asyncio.CancelledError()
        """The error that ended it, a cancellation too; None once it has ended well."""
        self.task = asyncio.create_task(self._run(work), name=name)  # noqa: TID251 - see above
        _going_on.add(self.task)
        self.task.add_done_callback(_going_on.discard)

    @property
    def is_over(self) -> bool:
        """True once it has ended, in any way."""
        return self.task.done()

    @property
    def result(self) -> T:
        """Its result; only where it ended without an error."""
        return cast("T", self.task.result())

    async def ends_within(self, seconds: float) -> bool:
        """Wait for its end; true if that came in time. Cancelling this does not cancel the task.

        Time in which the whole process stood still does not count: that may be another's fault.
        """
        if not self.is_over:
            # most are over after their first step, and voices are asked for by the hundred
            await asyncio.sleep(0)
        if not self.is_over:
            now, seconds = asyncio.get_running_loop().time, max(seconds, 0.0)
            due = now() + seconds
            await asyncio.wait({self.task}, timeout=seconds)
            late = now() - due
            if not self.is_over and late > _STANDSTILL_SECONDS:
                await asyncio.wait({self.task}, timeout=min(late, seconds))

        return self.is_over

    async def _run(self, work: Callable[[], Awaitable[T]]) -> T | None:
        try:
            result = await work()
        except BaseException as error:  # noqa: BLE001 - not even SystemExit may end the room
            self.error = error
            return None

        self.error = None
        return result
