"""One language's speech to listen to: what comes in bursts is heard at the speed of speech."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_MS
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.stream.speech_queue import (
    QueueLimits,
    SpeechQueue,
    SpeechStatistics,
)

_TICK_SECONDS: Final = FRAME_MS / 1000
_STALL_SECONDS: Final = 3 * _TICK_SECONDS
"""A late frame is caught up with, but no more than this: what plays it holds little more."""

_LEAD_SECONDS: Final = _TICK_SECONDS
"""The first two frames after a pause come together, so that a late tick tears no word apart."""

_PATIENCE_SECONDS: Final = 0.1
"""How long an utterance that stopped in the middle may go on before its end is heard."""


class PacedTrack:
    """A translated track without a clock at its other end; one listener at a time.

    What nobody listens to yet waits, within its limits, for who does.
    """

    def __init__(self, limits: QueueLimits) -> None:
        self._speech = SpeechQueue(limits)
        self._changed = asyncio.Event()
        self._is_closed = False
        self._is_heard = False
        self._silent = asyncio.Event()
        """Set unless somebody still has something to hear."""
        self._silent.set()

    def limit(self, limits: QueueLimits) -> None:
        """Let more or less wait from now on."""
        self._speech.limit(limits)

    def put(self, chunk: AudioChunk, sound: bytes) -> None:
        """Add what a message brought.

        Args:
            chunk: The message.
            sound: Its sound, unpacked.
        """
        utterance = (chunk.transcription_id, chunk.part)
        self._speech.put(sound, utterance, is_last=chunk.is_last)
        self._changed.set()
        if self._is_heard:
            self._silent.clear()

    def hush(self) -> None:
        """Withdraw what is not heard yet."""
        self._speech.hush()
        self._changed.set()

    def close(self) -> None:
        """Say that nothing more comes; what is there is still heard."""
        self._speech.finish()
        self._is_closed = True
        self._changed.set()

    def statistics(self) -> SpeechStatistics:
        """Tell where the speech went so far."""
        return self._speech.statistics()

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen; there are no frames in a pause."""
        self._is_heard = True
        self._silent.clear()
        try:
            async with aclosing(self._play()) as frames:
                yield frames
        finally:
            self._is_heard = False
            self._silent.set()

    async def until_silent(self) -> None:
        """Wait until whoever listens has heard what came; nobody is waited for to listen."""
        await self._silent.wait()

    async def _play(self) -> AsyncGenerator[Frame]:
        loop, reader = asyncio.get_running_loop(), FrameReader()
        due = loop.time() - _LEAD_SECONDS
        while True:
            sound = self._speech.take()
            if sound is not None:
                due = max(due, loop.time() - _STALL_SECONDS)
                await asyncio.sleep(due - loop.time())
                yield reader.read(sound)
                due += _TICK_SECONDS
            elif self._is_closed:
                return
            else:
                if not self._speech.is_under_way:
                    self._silent.set()
                await self._wait()
                due = max(due, loop.time() - _LEAD_SECONDS)

    async def _wait(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if self._speech.is_under_way else None):
                await self._changed.wait()
        except TimeoutError:
            self._speech.finish()
