"""A microphone that several may listen to at once, and somebody who keeps talking into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone

_FRAME_SECONDS: Final = FRAME_MS / 1000

WORD: Final = tone(330, 0.3)
"""Something said; the pause after it is longer than the silence that confirms it."""
PAUSE: Final = np.zeros(round(0.36 * SAMPLE_RATE), np.int16)


class SharedMicrophone:
    """A microphone track; like a real one it goes to everybody who listens, and to nobody later."""

    def __init__(self, track_sid: str = "TR_voice") -> None:
        self.track_sid = track_sid
        self._reader = FrameReader()
        self._ears: set[asyncio.Queue[Frame]] = set()

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen."""
        ear: asyncio.Queue[Frame] = asyncio.Queue()
        self._ears.add(ear)
        try:
            yield _heard(ear)
        finally:
            self._ears.discard(ear)

    async def play(self, sound: Pcm) -> None:
        """Sound at the speed of speech; returns when it is over."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        for frame in self._reader.cut(sound):
            for ear in self._ears:
                ear.put_nowait(frame)
            due += _FRAME_SECONDS
            await asyncio.sleep(due - loop.time())

    async def talk(self) -> None:
        """Say one word after the other, for ever."""
        while True:
            await self.play(WORD)
            await self.play(PAUSE)


async def _heard(ear: asyncio.Queue[Frame]) -> AsyncIterator[Frame]:
    while True:
        yield await ear.get()
