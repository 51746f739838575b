"""Strangers' code in tasks of its own: whatever it raises stays there, and none of it holds us up.

A stranger's exception of any class is kept as a fact. A stranger who ignores a cancellation is let
go: the coroutine is closed where it stands, so that no task outlives its group.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast

from palabra_agent.concurrency import leaves

T = TypeVar("T")

HEED_SECONDS: Final = 0.1
"""How long a stranger may take to heed a cancellation before we let go."""
_STANDSTILL_SECONDS: Final = 0.1
"""A timer that rings so late has waited for somebody who computed without awaiting."""
_LAST_PLACES: Final = 100
_LONGEST_NAME: Final = 80


class Errand(Generic[T]):
    """Something that a stranger does for us, in a task of a group of ours."""

    def __init__(
        self, group: asyncio.TaskGroup, work: Callable[[], Coroutine[Any, Any, T]], name: str
    ) -> None:
        """Start it.

        Args:
            group: Owns the task; never learns of a failure.
            work: Makes the coroutine, in the task itself.
            name: The task's.
        """
        self.error: BaseException | None = None
        """What ended it, where something did; a cancellation too, whoever asked for it."""
        self._work = work
        self._leash: _Leash[T] | None = None
        self._result: list[T] = []
        self._waiting: list[asyncio.Future[None]] = []
        self.task = group.create_task(self._run(), name=name)
        """Never fails; it may be cancelled."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.task.done()

    @property
    def result(self) -> T:
        """What came of it; only where nothing went wrong."""
        return self._result[0]

    def when_over(self, call: Callable[[Errand[T]], None]) -> None:
        """Have something called when it has ended."""
        self.task.add_done_callback(lambda _task: call(self))

    async def wait(self, seconds: float) -> bool:
        """Wait for its end; whether it came in time. Cancelling this does not cancel the errand.

        Time in which the whole process stood still, whoever's fault that was, does not count.
        """
        if not self.is_over:
            # most are over after their first step, and voices are asked for by the hundred
            await asyncio.sleep(0)
        if self.is_over:
            return True

        loop, seconds = asyncio.get_running_loop(), max(seconds, 0.0)
        waiting = loop.create_future()
        self._waiting.append(waiting)
        timer = loop.call_later(seconds, _ring, waiting, loop.time() + seconds, seconds)
        try:
            await waiting
        finally:
            timer.cancel()

        return self.is_over

    def cancel(self) -> None:
        """Ask it to end, which it may take its time for, or not heed at all."""
        if self._leash is None:
            # where it has not begun it gets to wake nobody itself
            self.task.add_done_callback(self._wake)

        self.task.cancel()

    def let_go(self) -> None:
        """End it now, wherever it stands."""
        if self._leash is not None:
            self._leash.is_let_go = True

        self.cancel()

    def _wake(self, _task: object = None) -> None:
        for waiting in self._waiting:
            _wake(waiting)

        self._waiting.clear()

    async def _run(self) -> None:
        try:
            self._leash = _Leash(self._work())
            self._result.append(await self._leash)
        except asyncio.CancelledError as cancelled:
            self.error = cancelled
            raise
        except BaseException as error:  # noqa: BLE001 - the fence: not even SystemExit gets out
            self.error = error
        finally:
            self._wake()


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


def _ring(waiting: asyncio.Future[None], due: float, seconds: float) -> None:
    """End a wait of some seconds; later by as much as the process stood still meanwhile."""
    loop = asyncio.get_running_loop()
    late = loop.time() - due
    if late > _STANDSTILL_SECONDS:
        loop.call_later(min(late, seconds), _wake, waiting)
    else:
        _wake(waiting)


class _LetGo(BaseException):
    """What a stranger is told last; no `except` in its code is meant for this."""


class _Leash(Awaitable[T]):
    """Awaits a coroutine step by step, so that it can be let go of between two steps."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        self.is_let_go = False

    def __await__(self) -> Generator[Any, Any, T]:
        resume: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                awaited = resume()
            except StopIteration as end:
                return cast("T", end.value)

            try:
                yield awaited
                resume = partial(self._work.send, None)
            except BaseException as error:
                if self.is_let_go or isinstance(error, GeneratorExit):
                    self._close()
                    raise

                resume = partial(self._work.throw, error)

    def _close(self) -> None:
        """Throw it out of every place where it waits."""
        # not close() at once: before Python 3.13 that leaves async generators as if they ran on
        with suppress(BaseException):
            for _ in range(_LAST_PLACES):
                self._work.throw(_LetGo())

            self._work.close()


class Errands:
    """The errands of one stranger."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._sent: set[Errand[Any]] = set()

    def start(self, work: Callable[[], Coroutine[Any, Any, T]], name: str) -> Errand[T]:
        """Send the stranger on an errand, which is kept here until it is forgotten."""
        errand = Errand(self._group, work, name)
        self._sent.add(errand)
        return errand

    def forget(self, errand: Errand[Any]) -> None:
        """Keep an errand no longer than it goes on."""
        if errand.is_over:
            self._sent.discard(errand)
        else:
            errand.when_over(self._sent.discard)

    async def wait(self, seconds: float, *, without: Errand[Any] | None = None) -> None:
        """Wait until those that go on now are over, or the time is."""
        waited_for = [errand.task for errand in self._open() if errand is not without]
        if waited_for:
            await asyncio.wait(waited_for, timeout=seconds)

    def cancel(self) -> None:
        """Ask all of them to end."""
        for errand in self._open():
            errand.cancel()

    def let_go(self) -> bool:
        """End now those that heeded nothing; whether there were any."""
        heedless = self._open()
        for errand in heedless:
            errand.let_go()

        return bool(heedless)

    def _open(self) -> list[Errand[Any]]:
        return [errand for errand in self._sent if not errand.is_over]


def are_equal(one: object, other: object) -> bool:
    """Whether two things are equal, where strangers say what that means."""
    try:
        return bool(one == other)
    except BaseException:  # noqa: BLE001 - the fence again
        return False


def what_broke(error: BaseException) -> str:
    """The class of an error; of a group, those of the errors in it. Never its words."""
    try:
        found = leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
        names = dict.fromkeys(type(one).__name__ for one in found)
        return ", ".join(names)[:_LONGEST_NAME]
    except BaseException:  # noqa: BLE001 - errors are strangers too
        return "an error that cannot be named"


def a_kind_of(thing: object) -> str:
    """Name the class of something, with its article: `a str`, `an int`."""
    if thing is None:
        return "None"

    name = type(thing).__name__[:_LONGEST_NAME]
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
