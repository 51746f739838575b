"""Tasks, time and signals where asyncio stops: undone requests, turns, watched values, limits."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from palabra_agent.errors import NativePanic

T = TypeVar("T")
ErrorT = TypeVar("ErrorT", bound=BaseException)

_TURN_SECONDS: Final = 0.003
"""A frame of sound is due every 20 ms, and several tasks may take a turn one after the other."""


@contextmanager
def single_failure() -> Generator[None]:
    """Let the only failure of a task group in the block come out unwrapped; several stay a group.

    Raises:
        BaseException: Whatever that failure is.
    """
    try:
        yield
    except BaseExceptionGroup as failures:
        failure: BaseException = failures
        while isinstance(failure, BaseExceptionGroup) and len(failure.exceptions) == 1:
            failure = failure.exceptions[0]
        if failure is failures:
            raise
        raise failure from None


def run_until_stopped(serving: Coroutine[Any, Any, None]) -> None:
    """Run something until it ends, or until SIGTERM or Ctrl-C, which are good ends.

    Raises:
        NativePanic: LiveKit's SDK ended it.
    """
    panicked = threading.Event()
    on_native_panic(panicked.set)

    async def until_told() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serving)
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    with suppress(KeyboardInterrupt), single_failure():
        asyncio.run(until_told())
    if panicked.is_set():
        raise NativePanic


def on_native_panic(tell: Callable[[], None]) -> None:
    """Have something called when the native part of LiveKit's SDK gives up; for the whole process.

    It prints the reason and sends SIGTERM to its own process, which no code of ours does. The call
    comes before the signal, in a thread of the SDK's.
    """

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event == "os.kill" and arguments == (os.getpid(), signal.SIGTERM):
            tell()

    sys.addaudithook(hear)


def errors_in(failures: BaseExceptionGroup[ErrorT]) -> list[ErrorT]:
    """The errors themselves, out of however many groups."""
    found: list[ErrorT] = []
    for failure in failures.exceptions:
        found += errors_in(failure) if isinstance(failure, BaseExceptionGroup) else [failure]

    return found


def heed_cancellation() -> None:
    """Stop here if we are being cancelled.

    A task group that fails while it is cancelled raises its errors, and the cancellation is lost in
    them.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def complete_or_undo(
    request: Coroutine[Any, Any, T],
    *,
    grace_seconds: float,
    undo: Callable[[T], Awaitable[None]],
) -> T:
    """Await a request; when cancelled meanwhile, let it finish and undo what it did.

    Args:
        request: Something asked of a peer.
        grace_seconds: How long it may take to finish after a cancellation.
        undo: Takes the result that the cancelled caller does not wait for.
    """
    try:
        with single_failure():
            async with asyncio.TaskGroup() as group:
                task = group.create_task(request, name="request")
                try:
                    await asyncio.wait({task})
                except asyncio.CancelledError:
                    await asyncio.wait({task}, timeout=grace_seconds)
                    if task.done() and not task.cancelled() and task.exception() is None:
                        await undo(task.result())
                    raise
    except Exception:
        heed_cancellation()
        raise

    return task.result()


async def finish_despite_cancellation(
    cleaning: Coroutine[Any, Any, None], *, seconds: float
) -> None:
    """Clean up to the end, within a deadline, however often we are cancelled meanwhile."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    was_cancelled = False
    async with asyncio.TaskGroup() as group:
        task = group.create_task(cleaning, name="clean up")
        while not task.done() and loop.time() < deadline:
            try:
                await asyncio.wait({task}, timeout=deadline - loop.time())
            except asyncio.CancelledError:
                was_cancelled = True

        task.cancel()

    if was_cancelled:
        raise asyncio.CancelledError


class Turn:
    """A task's turn of the event loop, which it gives up where it has had it for long enough.

    Awaiting what is there already, such as a queue that is not empty, gives way to no other task.
    """

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        """Begin a turn.

        Args:
            now: A clock, in seconds; the event loop's by default.
        """
        self._now = now or asyncio.get_running_loop().time
        self._began = self._now()

    async def give_way(self) -> None:
        """Let the other tasks run if this one has had the loop for some milliseconds."""
        if self._now() - self._began >= _TURN_SECONDS:
            await asyncio.sleep(0)
            self._began = self._now()


class Watched(Generic[T]):
    """A value and a way to wait for its changes; one that is replaced too soon is skipped."""

    def __init__(self, value: T) -> None:
        self._value = value
        self._changed = asyncio.Event()

    @property
    def value(self) -> T:
        """The value now."""
        return self._value

    def set(self, value: T) -> None:
        """Replace the value; those who wait are told unless it is equal to the old one."""
        if value == self._value:
            return

        self._value = value
        # a new event for the next change: each waiter holds the old one
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    async def wait_until(self, holds: Callable[[T], bool]) -> T:
        """Return the value as soon as something holds of it. Cancelling it changes nothing."""
        while not holds(self._value):
            await self._changed.wait()

        return self._value

    async def changes(self) -> AsyncIterator[T]:
        """Yield the value now, then the newest after each change, for ever."""
        while True:
            seen, changed = self._value, self._changed
            yield seen
            await changed.wait()


class TimeIsUp(TimeoutError):
    """The limit has passed: this one, and not some other deadline within."""


class TimeLimit:
    """A block that ends with `TimeIsUp` when its time is over.

    A limit that has passed already ends the block at once.
    """

    def __init__(self, minutes: float | None, began: float | None = None) -> None:
        """Begin to count.

        Args:
            minutes: None for ever.
            began: The time of the event loop from which it counts; None for now.
        """
        self.minutes = minutes
        """None: for ever."""
        self._began = asyncio.get_running_loop().time() if began is None else began
        self._timeout = asyncio.timeout_at(self._end)
        self._is_over = False

    def follow(self, minutes: float | None) -> None:
        """Have another limit from now on."""
        if self._is_over or self._timeout.expired() or minutes == self.minutes:
            return

        self.minutes = minutes
        self._timeout.reschedule(self._end)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError:
            raise TimeIsUp from None

    @property
    def _end(self) -> float | None:
        return None if self.minutes is None else self._began + self.minutes * 60
