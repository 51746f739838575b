"""Requests that must not be torn in the middle: what a peer has done by then has to be undone."""

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
