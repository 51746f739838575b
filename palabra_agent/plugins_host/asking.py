"""Calls of one plugin, each in a task of its own and within a deadline: questions, and events.

Whatever a plugin raises stays in its task. One that gave no answer in time rests for a minute. One
that ignores its cancellation is thrown out of the places where it waits.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

from palabra_agent.capabilities.capability import (
    AnswerT,
    AnyCapability,
    FirstAnswer,
    Passed,
    RequestT,
    TellAll,
    WrongAnswer,
)
from palabra_agent.concurrency import errors_in
from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugins_host.records import ErrorLog

T = TypeVar("T")

CALL_SECONDS: Final = 1.0
"""The deadline of an answer."""
REST_SECONDS: Final = 60.0
"""The time in which a plugin that gave no answer is not asked the same kind of question."""
HEED_SECONDS: Final = 0.1
"""The time in which a plugin must have heeded a cancellation."""

_IN_TIME: Final = f"within {CALL_SECONDS:g} s"
_STANDSTILL_SECONDS: Final = 0.1
"""A timer that rings so late has waited for other code that computed without awaiting."""
_MOST_PLACES: Final = 100
_LONGEST_NAME: Final = 80

_left_behind: Final[set[PluginTask[Any]]] = set()
"""Tasks that cannot be ended: without a reference they would be destroyed while they wait."""

logger = logging.getLogger(__name__)


class _LetGo(BaseException):
    """Thrown into a plugin that ignores its cancellation; no `except` of it is meant for this."""


class PluginTask(Generic[T]):
    """A plugin's code in a task: its error is kept as a fact, and never raised."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> None:
        self.error: BaseException | None = None
        """The error that ended it; a cancellation too, even one by the plugin itself."""
        self._work = work
        self._coroutine: Coroutine[Any, Any, T] | None = None
        self._results: list[T] = []
        # in no task group, which would wait for it: a plugin's code may never end
        self.task = asyncio.create_task(self._run(), name=name)  # noqa: TID251

    @property
    def is_over(self) -> bool:
        """True once it has ended, in any way."""
        return self.task.done()

    @property
    def result(self) -> T:
        """Its result; only where it ended without an error."""
        return self._results[0]

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

    def let_go(self) -> None:
        """End it although it ignores cancellations; what catches even this is left behind."""
        if self._coroutine is not None:
            with suppress(BaseException):
                # not `close()`: before Python 3.13 that leaves async generators as if they ran on
                for _ in range(_MOST_PLACES):
                    self._coroutine.throw(_LetGo())

        _left_behind.add(self)
        self.task.add_done_callback(lambda _task: _left_behind.discard(self))
        self.task.cancel()

    async def _run(self) -> None:
        try:
            self._coroutine = self._work()
            self._results.append(await self._coroutine)
        except asyncio.CancelledError as cancelled:
            self.error = cancelled
            raise
        except BaseException as error:  # noqa: BLE001 - not even SystemExit may end the room
            self.error = error


class PluginCalls:
    """The calls of one open plugin, and its rests from each kind of them."""

    def __init__(self, errors: ErrorLog) -> None:
        self.running: set[PluginTask[Any]] = set()
        self._errors = errors
        self._rest_ends: dict[str, float] = {}
        """By method."""
        self._now = asyncio.get_running_loop().time

    def rest_end(self, capability: AnyCapability) -> float:
        """Tell when the plugin may be called again, on the loop's clock; in the past: now."""
        return self._rest_ends.get(capability.method, -math.inf)

    def rests(self, capability: AnyCapability) -> bool:
        """True while the plugin is left alone, because it gave no answer in time."""
        return self._now() < self.rest_end(capability)

    async def ask(
        self,
        name: str,
        plugin: object,
        capability: FirstAnswer[RequestT, AnswerT],
        request: RequestT,
    ) -> AnswerT | Passed:
        """Ask a plugin, called by a name, something that it may answer.

        Raises:
            PluginError: It gave no answer that can be used, or rests.
        """
        answer = await self._call(name, plugin, capability, request)
        try:
            return capability.accept(answer, request)
        except WrongAnswer as error:
            raise self._noted(PluginError(name, Phase.CALL, str(error))) from error

    async def tell(
        self, name: str, plugin: object, capability: TellAll[RequestT], event: RequestT
    ) -> None:
        """Tell a plugin, called by a name, an event; returns when it has taken note.

        Raises:
            PluginError: It broke, took too long, or rests.
        """
        await self._call(name, plugin, capability, event)

    async def _call(
        self, name: str, plugin: object, capability: AnyCapability, request: object
    ) -> object:
        if self.rests(capability):
            raise PluginError(name, Phase.CALL, f"rests, for it gave no answer {_IN_TIME}")

        async def call() -> object:
            answer = getattr(plugin, capability.method)(request)
            if not inspect.isawaitable(answer):
                kind = type(answer).__name__
                raise WrongAnswer(f"returned {kind} instead of something to await")
            return await answer

        task = PluginTask(call, f"plugin {name}: {capability.method}")
        self.running.add(task)
        task.task.add_done_callback(lambda _task: self.running.discard(task))
        try:
            is_over = await task.ends_within(CALL_SECONDS)
        finally:
            task.task.cancel()

        if not is_over:
            self._rest_ends[capability.method] = self._now() + REST_SECONDS
            raise self._noted(PluginError(name, Phase.CALL, f"gave no answer {_IN_TIME}"))

        self._rest_ends.pop(capability.method, None)
        if task.error is not None:
            is_wrong = isinstance(task.error, WrongAnswer)
            reason = str(task.error) if is_wrong else f"broke: {error_names(task.error)}"
            error = PluginError(name, Phase.CALL, reason)
            error.__cause__ = task.error
            raise self._noted(error)

        return task.result

    def _noted(self, error: PluginError) -> PluginError:
        self._errors.note(error)
        return error


class Telling(Generic[RequestT]):
    """Tells one plugin the events of a capability, in order; a rest only delays what may wait."""

    def __init__(self, calls: PluginCalls, capability: TellAll[RequestT]) -> None:
        self._calls = calls
        self._capability = capability
        self._events: deque[RequestT] = deque()
        """Events that wait, never more than the capability allows."""
        self._dropped = 0
        self._limit: asyncio.Timeout | None = None
        self._is_closed = False
        self._changed = asyncio.Event()
        """Set by a new event, and by the end."""
        self._idle = asyncio.Event()
        """Set while nothing is being told."""
        self._idle.set()

    def put(self, event: RequestT) -> None:
        """Let an event wait; where too many do, the oldest expendable goes, else the oldest."""
        if self._is_closed:
            return

        self._events.append(event)
        if len(self._events) > self._capability.most_waiting:
            is_expendable = self._capability.is_expendable
            expendable = (at for at, it in enumerate(self._events) if is_expendable(it))
            del self._events[next(expendable, 0)]
            self._dropped += 1

        self._changed.set()
        if not self._calls.rests(self._capability):
            self._idle.clear()

    async def heard(self) -> None:
        """Wait until the plugin has heard everything, or rests, or is told no more."""
        await self._idle.wait()

    async def run(self, name: str, plugin: object) -> None:
        """Tell a plugin, called by a name, until this is closed and no event waits any more."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(None) as self._limit:
                    while await self._is_due():
                        with suppress(PluginError):
                            event = self._events.popleft()
                            await self._calls.tell(name, plugin, self._capability, event)
        finally:
            self._limit = None
            self._idle.set()
            untold = len(self._events) + self._dropped
            if untold:
                facts = {"plugin": name, "count": untold}
                logger.warning("transcripts were not told to a plugin", extra=facts)

    def close(self, tell_until: float) -> None:
        """Take no more; events that wait may be told until a moment on the loop's clock."""
        self._is_closed = True
        self._changed.set()
        if self._limit is not None:
            self._limit.reschedule(tell_until)

    async def _is_due(self) -> bool:
        """Wait until an event may be told; false where none will come, or it would take a rest."""
        while not self._events or self._calls.rests(self._capability):
            if self._is_closed:
                return False

            self._idle.set()
            self._changed.clear()
            is_resting = self._calls.rests(self._capability)
            until = self._calls.rest_end(self._capability) if is_resting else None
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

        self._idle.clear()
        return True


def error_names(error: BaseException) -> str:
    """Name the class of an error; of a group, those of the errors in it. Never its words."""
    errors = errors_in(error) if isinstance(error, BaseExceptionGroup) else [error]
    return ", ".join(dict.fromkeys(type(it).__name__ for it in errors))[:_LONGEST_NAME]
