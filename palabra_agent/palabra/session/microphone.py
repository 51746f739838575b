"""The speaker's voice on its way to Palabra, held while Palabra does not listen: no word is lost.

In a pause the last moments are kept, because a word begins before it is recognised as one. From the
first word until Palabra listens again everything is kept. After that it is an ordinary short queue,
which wins the delay back in the next pauses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

from palabra_agent.audio.buffer import BufferStatistics, FrameBuffer
from palabra_agent.audio.frame import Frame

_CAPACITY_MS: Final = 60.0
_TARGET_MS: Final = 20.0
"""Of an ordinary queue: the most that waits, and the part of it that may stay over a pause."""

_PRE_ROLL_MS: Final = 240.0
"""Kept from before a word is recognised as one: soft consonants, and the 60 ms of recognising. More
would make every first word later."""

_HELD_MS: Final = 15_000.0
"""So much may wait while Palabra is resumed: longer than we wait for that."""

_CONFIRMING_MS: Final = 800.0
"""So much of a pause is kept, for sentences to be confirmed by; the rest wins delay back."""


class MicrophoneBuffer:
    """The frames of one speaker, with one writer and one reader."""

    def __init__(self) -> None:
        self._queue = FrameBuffer(capacity_ms=_CAPACITY_MS, target_ms=_TARGET_MS)
        self._pre_roll: deque[Frame] = deque()
        self._pre_roll_ms = 0.0
        self._pause_ms = 0.0
        self._listening = asyncio.Event()

    @property
    def is_listening(self) -> bool:
        """True while Palabra takes sound in."""
        return self._listening.is_set()

    def set_listening(self, *, is_listening: bool) -> None:
        """Learn whether Palabra takes sound in: only then frames are given out."""
        if is_listening:
            self._listening.set()
        else:
            self._listening.clear()

    def remember(self, frame: Frame) -> None:
        """Keep a frame of a pause for a while, in case that a word begins with it."""
        self._pre_roll.append(frame)
        self._pre_roll_ms += frame.duration_ms
        while self._pre_roll_ms > _PRE_ROLL_MS and len(self._pre_roll) > 1:
            self._pre_roll_ms -= self._pre_roll.popleft().duration_ms

    def write(self, frame: Frame) -> None:
        """Queue a frame that is to be heard, with what was remembered before it."""
        if self._pre_roll or not self.is_listening:
            self._hold(frame)
        elif frame.peak:
            # the track that plays it is silent by itself
            self._queue.put(frame)

    def close(self) -> None:
        """Take no more frames."""
        self._queue.close()

    async def next_frame(self) -> Frame | None:
        """Wait for the next frame that Palabra can hear; None after the last of a closed buffer."""
        frame = await self._queue.next_frame()
        if frame is not None:
            await self._listening.wait()

        return frame

    def statistics(self) -> BufferStatistics:
        """Tell where the sound went so far."""
        return self._queue.statistics()

    def _hold(self, frame: Frame) -> None:
        self._pause_ms = self._pause_ms + frame.duration_ms if frame.is_pause else 0.0
        self._queue.allow(_HELD_MS)
        for kept in self._pre_roll:
            self._queue.put(kept, is_needed=True)

        self._queue.put(frame, is_needed=self._pause_ms <= _CONFIRMING_MS)
        self._pre_roll.clear()
        self._pre_roll_ms = 0.0
