"""Translated tracks on their way into the channels; what has come is heard, whatever ends.

Sound may come faster than it is spoken, so some of it is still to be heard when its track, and the
session with it, is gone. Whoever speaks next in that language waits for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from palabra_agent.audio.frame import FrameSource
from palabra_agent.audio.pcm import FRAME_MS
from palabra_agent.interpretation.channel import LanguageChannel
from palabra_agent.languages import LanguageCode

_TAIL_SECONDS: Final = 20.0
"""What Palabra lets wait by default. A track that has not ended by then never will."""

_TICK_SECONDS: Final = FRAME_MS / 1000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Downlink:
    language: LanguageCode
    task: asyncio.Task[None]


class Downlinks:
    """One speaker's, over all of their sessions."""

    def __init__(
        self, channels: Mapping[LanguageCode, LanguageChannel], group: asyncio.TaskGroup
    ) -> None:
        """Begin without any.

        Args:
            channels: Where they lead.
            group: Holds them; whoever cancels it cuts them off.
        """
        self._channels = channels
        self._group = group
        self._sounding: dict[FrameSource, _Downlink] = {}
        self._ending: list[_Downlink] = []

    def begin(self, language: LanguageCode, source: FrameSource) -> None:
        """Bring a track into its channel, after those of that language that have ended."""
        channel = self._channels.get(language)
        if channel is None:
            return

        self._ending = [it for it in self._ending if not it.task.done()]
        before = {it.task for it in self._ending if it.language == language}
        task = self._group.create_task(_bring(source, channel, before), name=f"downlink:{language}")
        self._sounding[source] = _Downlink(language, task)

    def end(self, source: FrameSource) -> None:
        """Let a track run out: nothing more comes."""
        downlink = self._sounding.pop(source, None)
        if downlink is not None:
            self._ending.append(downlink)
            asyncio.get_running_loop().call_later(_TAIL_SECONDS, downlink.task.cancel)


async def _bring(
    source: FrameSource, channel: LanguageChannel, before: set[asyncio.Task[None]]
) -> None:
    if before:
        await asyncio.wait(before)

    with channel.mixer.open_input() as backlog:
        try:
            async with source.open_frames() as frames:
                await backlog.fill(frames)
            await asyncio.sleep(backlog.statistics().held_ms / 1000 + _TICK_SECONDS)
        finally:
            # every lost millisecond counts
            logger.info("downlink closed", extra=asdict(backlog.statistics()))
