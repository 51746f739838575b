"""A language channel: one published track on which all interpretations into a language are heard.

It lives beside the speakers and outlives their sessions, so a lost session is a pause and not a
track that vanishes. It has a clock of its own: nobody who speaks late or not at all holds the
others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from palabra_agent.audio.mixer import Mixer
from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES
from palabra_agent.interpretation.ports import Meeting, PublishedTrack
from palabra_agent.languages import LanguageCode

TRACK_PREFIX: Final = "translation_"
"""A channel's track is called `translation_<language>`."""

_TICK_SECONDS: Final = FRAME_MS / 1000
_STALL_SECONDS: Final = 3 * _TICK_SECONDS
_CUSHION: Final = np.zeros(FRAME_SAMPLES // 2, dtype=np.int16)
"""Played before the first frame after a pause, so that a late tick does not tear a word apart."""

logger = logging.getLogger(__name__)


class LanguageChannel:
    """One language's track and the mixer that feeds it."""

    def __init__(
        self, language: LanguageCode, track: PublishedTrack, mixer: Mixer | None = None
    ) -> None:
        self.language = language
        self.mixer = mixer or Mixer()
        self._track = track

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now."""
        return self._track.sid

    async def play(self) -> None:
        """Mix and play, one frame a tick, for ever.

        Nothing is written in a pause: the track is silent by itself, and its short queue runs
        empty, which takes the delay of any late tick out again.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        is_pause = True
        while True:
            due = max(due + _TICK_SECONDS, loop.time() - _STALL_SECONDS)
            await asyncio.sleep(due - loop.time())
            frame = self.mixer.take()
            if frame is not None:
                await self._track.write(np.concatenate((_CUSHION, frame)) if is_pause else frame)

            is_pause = frame is None


@asynccontextmanager
async def open_channel(
    meeting: Meeting, language: LanguageCode, mixer: Mixer | None = None
) -> AsyncGenerator[LanguageChannel]:
    """Keep a language's channel published and playing for the length of a block.

    Args:
        meeting: Where it is published.
        language: Names the track.
        mixer: What is played, where that is to outlive the channel.
    """
    async with meeting.publish(TRACK_PREFIX + language) as track, asyncio.TaskGroup() as group:
        channel = LanguageChannel(language, track, mixer)
        playing = group.create_task(channel.play(), name=f"channel:{language}")
        logger.info("channel opened", extra={"language": language})
        try:
            yield channel
        finally:
            playing.cancel()
