"""A clock that jumps to the next deadline, so that tests of pauses take no time and never flicker.

Only what waits on the event loop's clock is moved; sockets work as ever.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec

P = ParamSpec("P")

_LONGEST_TEST: Final = 300.0
"""Seconds of jumping time after which a test is stuck."""
_POLL_SECONDS: Final = 0.005
_SOCKET_SECONDS: Final = 0.002
"""Real time in which a peer in this process would have answered."""
_STUCK_SECONDS: Final = 2.0


class _JumpingSelector(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            ready = super().select(_STUCK_SECONDS)
            if not ready:
                raise RuntimeError("everybody waits, and nothing will ever happen")

            return ready

        ready = super().select(min(timeout, _SOCKET_SECONDS) if self._has_sockets else 0)
        if not ready:
            self.now += timeout

        return ready

    @property
    def _has_sockets(self) -> bool:
        # one is the loop's own, for signals
        return len(self.get_map()) > 1


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits for time to pass."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds that passed, as far as anybody in the loop can tell."""
        return self._jumping.now


def in_jumping_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a jumping clock, and fail it where it leaves a task behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(_watched(test(*args, **kwargs)))

    return run


async def eventually(holds: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Wait until something holds; fail where it does not in time."""
    try:
        async with asyncio.timeout(seconds):
            # any fact may be waited for, and facts raise no event
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"did not happen within {seconds:g} s") from None


async def passing(seconds: float) -> None:
    """Let time pass, in which something must not happen."""
    await asyncio.sleep(seconds)


async def _watched(test: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(_LONGEST_TEST):
        await test

    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=1.0)

    assert not left, f"tasks left running: {sorted(str(task and task.get_name()) for task in left)}"
