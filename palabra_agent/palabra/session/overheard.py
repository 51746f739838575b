"""A translated track that tells when something sounds on it, whoever listens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from palabra_agent.audio.frame import Frame, FrameSource


@dataclass(frozen=True, slots=True)
class Overheard:
    """A source of frames, with somebody who learns of each that can be heard."""

    source: FrameSource
    on_sound: Callable[[], None]

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen."""
        async with self.source.open_frames() as frames:
            yield self._overhear(frames)

    async def _overhear(self, frames: AsyncIterator[Frame]) -> AsyncIterator[Frame]:
        async for frame in frames:
            if not frame.is_silent:
                self.on_sound()

            yield frame
