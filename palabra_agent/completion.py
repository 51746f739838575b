"""Talk with peers that must not be torn in the middle: requests to undo, and good-byes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from palabra_agent.failures import single_failure

T = TypeVar("T")


async def complete(
    request: Coroutine[Any, Any, T],
    *,
    grace_seconds: float,
    undo: Callable[[T], Awaitable[None]],
) -> T:
    """Await a request; when cancelled meanwhile, let it finish and undo what it did.

    Args:
        request: Something asked of a peer.
        grace_seconds: How long it may take to finish after a cancellation.
        undo: Takes the result that nobody waits for any more.
    """
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

    return task.result()


async def finish(cleaning: Coroutine[Any, Any, None], *, seconds: float) -> None:
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
