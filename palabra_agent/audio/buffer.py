"""A short queue of frames between two clocks: bounded, oldest dropped, drained in pauses.

Delay must never ratchet up. After a stall the queue holds more than it needs, and as both ends run
at the speed of speech it would hold it for ever. So it drops what exceeds its bound at once, and
takes the rest out of the next pause, where it is not missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from palabra_agent.audio.frame import Frame

_SHORT_FOR_GOOD_MS: Final = 2_000.0
"""A reader that takes much at once, but seldom, is not to be taken for one that has caught up."""


@dataclass(frozen=True, slots=True)
class BufferStatistics:
    """The whereabouts of the sound, in milliseconds: in = out + dropped + trimmed + held."""

    in_ms: float
    out_ms: float
    dropped_ms: float
    """Lost because the queue was full."""
    trimmed_ms: float
    """Left out of pauses to win delay back."""
    held_ms: float


class FrameBuffer:
    """A bounded queue of frames with one writer and one reader."""

    def __init__(self, *, capacity_ms: float, target_ms: float) -> None:
        """Make an empty queue.

        Args:
            capacity_ms: Never holds more than this; the oldest frames go first.
            target_ms: So much may stay over a pause, with what waits behind the queue.
        """
        self._capacity_ms = capacity_ms
        self._target_ms = target_ms
        self._allowed_ms = capacity_ms
        self._short_ms = 0.0
        """The sound that came since it last held more than it always may."""
        self._frames: deque[tuple[Frame, bool]] = deque()
        """Each with True where it may be left out to win delay back."""
        self._arrived = asyncio.Event()
        self._is_closed = False
        self._in_ms = self._out_ms = self._dropped_ms = self._trimmed_ms = self._held_ms = 0.0

    def allow(self, held_ms: float) -> None:
        """Hold more for once, until no more than the capacity was held for two seconds."""
        self._short_ms = 0.0
        self._allowed_ms = max(self._allowed_ms, held_ms)

    def put(self, frame: Frame, *, is_needed: bool = False) -> None:
        """Add a frame, dropping the oldest if there is no room.

        Args:
            frame: The one to play next.
            is_needed: Whether it is kept even if it is a pause.
        """
        self._frames.append((frame, frame.is_pause and not is_needed))
        length = frame.duration_ms
        self._short_ms = 0 if self._held_ms > self._capacity_ms else self._short_ms + length
        if self._short_ms > _SHORT_FOR_GOOD_MS:
            self._allowed_ms = self._capacity_ms

        self._in_ms += length
        self._held_ms += length
        while self._held_ms > self._allowed_ms and len(self._frames) > 1:
            self._dropped_ms += self._pop()[1]

        self._arrived.set()

    @property
    def is_empty(self) -> bool:
        """True where nothing waits."""
        return not self._frames

    async def fill(self, frames: AsyncIterator[Frame]) -> None:
        """Add frames as they come, and close the queue when their source ends."""
        try:
            async for frame in frames:
                self.put(frame)
        finally:
            self.close()

    def take(self, behind_ms: float = 0.0) -> Frame | None:
        """Remove the next frame, or None where nothing waits.

        Frames of a pause that are more than the queue needs are left out.

        Args:
            behind_ms: So much was taken and is not heard yet.
        """
        while self._held_ms + behind_ms > self._target_ms and self._frames and self._frames[0][1]:
            self._trimmed_ms += self._pop()[1]

        if not self._frames:
            return None

        frame, length = self._pop()
        self._out_ms += length
        return frame

    def skip_silence(self) -> None:
        """Leave out the silence that waits before something else: it need not be heard first."""
        while len(self._frames) > 1 and self._frames[0][1] and self._frames[0][0].is_silent:
            self._trimmed_ms += self._pop()[1]

    async def next_frame(self) -> Frame | None:
        """Wait for the next frame; None once the queue is closed and empty.

        Cancelling it loses nothing.
        """
        while (frame := self.take()) is None:
            if self._is_closed:
                return None

            self._arrived.clear()
            await self._arrived.wait()

        return frame

    def close(self) -> None:
        """Say that no more frames come."""
        self._is_closed = True
        self._arrived.set()

    def statistics(self) -> BufferStatistics:
        """Tell where the sound went so far."""
        return BufferStatistics(
            self._in_ms, self._out_ms, self._dropped_ms, self._trimmed_ms, self._held_ms
        )

    def _pop(self) -> tuple[Frame, float]:
        frame, _ = self._frames.popleft()
        length = frame.duration_ms
        self._held_ms -= length
        return frame, length
