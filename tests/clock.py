"""A clock that jumps to the next deadline, so that tests of pauses take no time and never flicker.

Only what waits on the event loop's clock is moved; sockets work as ever.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec

from palabra_agent.testing import clock as jumping

HANG_SECONDS: Final = 600.0
"""Nothing in a test takes this long: a guard against hanging, and no expectation."""
_POLL_SECONDS: Final = 0.005
_ASK_SECONDS: Final = 0.1
"""Between two questions that cost something: coroutines."""
_PEER_SECONDS: Final = 0.002
"""Real time in which a peer in this process would have answered."""

P = ParamSpec("P")

JumpingLoop = functools.partial(jumping.JumpingLoop, _PEER_SECONDS)
"""Makes an event loop that never waits for time to pass."""


def in_jumping_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a jumping clock, and fail it where it leaves a task behind."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=JumpingLoop) as runner:
            runner.run(jumping.watched(test(*args, **kwargs)))

    return run


async def eventually(
    holds: Callable[[], object],
    what: str = "what was waited for",
    seconds: float = 60.0,
) -> None:
    """Wait until something holds, which may be asked of a server; fail where it does not in time.

    Args:
        holds: Says whether it does, or is a coroutine function that does.
        what: In words, for the failure.
        seconds: How long to wait.
    """
    try:
        async with asyncio.timeout(seconds):
            # any fact may be waited for, and facts raise no event
            while not (it := holds()) or (inspect.isawaitable(it) and not await it):  # noqa: ASYNC110
                await asyncio.sleep(_ASK_SECONDS if it else _POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {seconds:g} s: {what}") from None


async def passing(seconds: float) -> None:
    """Let time pass, in which something must not happen."""
    await asyncio.sleep(seconds)
