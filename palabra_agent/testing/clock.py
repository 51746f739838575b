"""A clock that jumps to the next deadline, so that tests of pauses and deadlines take no time."""

from __future__ import annotations

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, Final, ParamSpec, TypeVar, TypeVarTuple, Unpack

TestArguments = ParamSpec("TestArguments")
CallArguments = TypeVarTuple("CallArguments")
CallResult = TypeVar("CallResult")

_LONGEST_TEST_SECONDS: Final = 3 * 3600.0
"""Of the jumping kind: after that a test is stuck."""
_STUCK_SECONDS: Final = 5.0
_LINGER_SECONDS: Final = 1.0


def without_waiting(
    test: Callable[TestArguments, Coroutine[Any, Any, None]],
) -> Callable[TestArguments, None]:
    """Run an async test on a clock that jumps wherever all tasks wait for time to pass.

    The event loop's clock is meant: `asyncio.sleep(60)` and every deadline. While a thread of
    `asyncio.to_thread` works, time passes as ever. A test that leaves tasks behind fails. It needs
    no pytest plugin, and goes well with those that there are.
    """

    @functools.wraps(test)
    def run(*args: TestArguments.args, **kwargs: TestArguments.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(watched(test(*args, **kwargs)))

    return run


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, socket_seconds: float) -> None:
        super().__init__()
        self.now = 0.0
        self._socket_seconds = socket_seconds
        self.threads = 0
        """Calls in threads that a task waits for."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        ready = super().select(self._patience(timeout))
        if ready:
            self.now += time.monotonic() - began if self.threads else 0.0
        elif timeout is not None:
            self.now += timeout
        elif not self.threads:
            raise RuntimeError("all tasks wait, and nothing will ever happen")

        return ready

    def _patience(self, timeout: float | None) -> float:
        """Give the real time to wait before the clock jumps."""
        if timeout is None:
            return _STUCK_SECONDS

        if self.threads:
            return timeout

        # one is the loop's own, for signals
        has_sockets = len(self.get_map()) > 1
        return min(timeout, self._socket_seconds) if has_sockets else 0.0


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for time to pass."""

    def __init__(self, socket_seconds: float = 0.02) -> None:
        """Begin at no time at all.

        Args:
            socket_seconds: Real time in which a peer on this machine would have answered.
        """
        self._jumping = _JumpingSelector(socket_seconds)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds that passed, as far as code in the loop can tell."""
        return self._jumping.now

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[CallArguments]], CallResult],
        *args: *CallArguments,
    ) -> asyncio.Future[CallResult]:
        """Call something in a thread; until it returns, time passes as ever."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._end_thread)
        return future

    def _end_thread(self, _future: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1


async def watched(test: Coroutine[Any, Any, None]) -> None:
    """Await a test; fail it where it is stuck, or leaves a task behind."""
    async with asyncio.timeout(_LONGEST_TEST_SECONDS):
        await test

    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=_LINGER_SECONDS)

    assert not left, f"tasks left running: {sorted(str(task and task.get_name()) for task in left)}"
