"""The one loop that copies frames from something heard to something that plays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.pcm import Pcm


async def pump(
    frames: AsyncIterator[Pcm], write: Callable[[Pcm], Awaitable[None]], backlog: FrameBuffer
) -> None:
    """Copy frames until their source ends, never falling further behind than the backlog holds.

    Digital silence is not written: what plays it is silent by itself. Cancelling it loses at most
    the backlog; neither end is closed.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(fill(frames, backlog), name="fill backlog")
        while (frame := await backlog.next_frame()) is not None:
            if frame.any():
                await write(frame)


async def fill(frames: AsyncIterator[Pcm], backlog: FrameBuffer) -> None:
    """Move frames into a backlog as they come, and close it when their source ends."""
    try:
        async for frame in frames:
            backlog.put(frame)
    finally:
        backlog.close()
