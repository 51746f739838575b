"""The speaker's voice on its way to Palabra, held while Palabra does not listen: no word is lost.

In a pause the last moments are kept, because a word begins before it is recognised as one. From the
first word until Palabra was told to listen again everything is kept. What is given out then is kept
as well, until Palabra is known to listen: if it did not, all of it is given out once more. After
that it is an ordinary short queue, which wins the delay back in the next pauses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from palabra_agent.audio.buffer import BufferStatistics, FrameBuffer
from palabra_agent.audio.frame import PRE_ROLL_MS, Frame

_CAPACITY_MS: Final = 60.0
_TARGET_MS: Final = 40.0
"""Of an ordinary queue: the most that waits, and what may stay of it over a pause, with what waits
behind it: a frame to send, and one for the jitter between the speaker's clock and the sender's."""

_HELD_MS: Final = 15_000.0
"""So much may wait while Palabra is resumed: longer than we wait for that."""

_CONFIRMING_MS: Final = 800.0
"""So much of a pause is kept, for sentences to be confirmed by; the rest wins delay back."""


class MicrophoneBuffer:
    """The frames of one speaker, with one writer and one reader."""

    def __init__(self, behind_ms: Callable[[], float] = lambda: 0.0) -> None:
        """Be empty.

        Args:
            behind_ms: Tells how much was given out and has not been sent yet.
        """
        self._behind_ms = behind_ms
        self._queue = FrameBuffer(capacity_ms=_CAPACITY_MS, target_ms=_TARGET_MS)
        self._pre_roll: deque[Frame] = deque()
        self._pre_roll_ms = 0.0
        self._pause_ms = 0.0
        self._unproved: list[Frame] = []
        """Given out while Palabra was not known to listen."""
        self._again: deque[Frame] = deque()
        """Given out in vain: they go first."""
        self._is_proved = True
        self._is_closed = False
        self._changed = asyncio.Event()
        self.is_listening = False
        """True while Palabra takes sound in, or was told to."""

    def set_listening(self, *, is_listening: bool, is_known: bool = True) -> None:
        """Learn whether Palabra takes sound in: only then frames are given out.

        Args:
            is_listening: Whether it does, or was told to.
            is_known: Whether an answer says so. What was given out before it, and is refuted by the
                answer, is given out again.
        """
        if (is_listening, is_known) == (self.is_listening, self._is_proved):
            return
        if not is_listening:
            self._again.extendleft(reversed(self._unproved))
        if not is_listening or is_known:
            self._unproved.clear()

        self.is_listening, self._is_proved = is_listening, is_known
        self._changed.set()

    def remember(self, frame: Frame) -> None:
        """Keep a frame of a pause for a while, in case that a word begins with it."""
        self._pre_roll.append(frame)
        self._pre_roll_ms += frame.duration_ms
        while self._pre_roll_ms > PRE_ROLL_MS and len(self._pre_roll) > 1:
            self._pre_roll_ms -= self._pre_roll.popleft().duration_ms

    def forget(self) -> None:
        """Forget the frames of a pause that were kept: no word begins with them."""
        self._pre_roll.clear()
        self._pre_roll_ms = 0.0

    def write(self, frame: Frame) -> None:
        """Queue a frame that is to be heard, with what was remembered before it."""
        if self._pre_roll or frame.is_late or not self.is_listening:
            self._hold(frame)
        elif frame.peak:
            # the track that plays it is silent by itself
            self._queue.put(frame)
        self._changed.set()

    def close(self) -> None:
        """Take no more frames."""
        self._is_closed = True
        self._changed.set()

    async def next_frame(self) -> Frame | None:
        """Wait for the next frame that Palabra can hear; None after the last of a closed buffer.

        The last is one that Palabra is known to have heard.
        """
        while (frame := self._take()) is None:
            if self._is_closed and self._queue.is_empty and not (self._again or self._unproved):
                return None

            self._changed.clear()
            await self._changed.wait()

        return frame

    def _take(self) -> Frame | None:
        if not self.is_listening:
            return None

        frame = self._again.popleft() if self._again else self._queue.take(self._behind_ms())
        if frame is not None and not self._is_proved:
            self._unproved.append(frame)

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
        self.forget()
