"""Language channels: one published track per language on which all its interpretations are heard.

Channels live beside the speakers and outlive their sessions, so a lost session is a pause and not a
track that vanishes. Each has a clock of its own: a speaker who is late or silent holds no other.
Downlinks bring a speaker's translated tracks into the channels; sound that has come is heard,
whatever ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from palabra_agent.audio.frame import FrameSource
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

_TAIL_SECONDS: Final = 20.0
"""Palabra lets so much wait by default. A track that has not ended by then never will."""

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
        mixer: Feeds the channel, where the mixer is to outlive it.
    """
    async with meeting.publish(TRACK_PREFIX + language) as track, asyncio.TaskGroup() as group:
        channel = LanguageChannel(language, track, mixer)
        playing = group.create_task(channel.play(), name=f"channel:{language}")
        logger.info("channel opened", extra={"language": language})
        try:
            yield channel
        finally:
            playing.cancel()


class Channels:
    """A room's channels, opened and closed as languages come and go, each by itself."""

    def __init__(
        self, meeting: Meeting, group: asyncio.TaskGroup, on_change: Callable[[], None]
    ) -> None:
        self._meeting = meeting
        self._group = group
        self._on_change = on_change
        self.open: dict[LanguageCode, LanguageChannel] = {}
        """Published and playing; changes by itself."""
        self._wanted: dict[LanguageCode, asyncio.Task[None]] = {}
        self._mixers = defaultdict[LanguageCode, Mixer](Mixer)
        """By language, for good: sound on its way goes on where a language is dropped and taken up
        again."""
        self._turns = defaultdict[LanguageCode, asyncio.Lock](asyncio.Lock)
        """Held by the one channel of a language that is there, or about to be."""
        self._publishing = asyncio.Lock()
        self._all_open = asyncio.Event()

    def follow(self, languages: Sequence[LanguageCode]) -> None:
        """Want channels for these languages and no others; never waits."""
        for language in self._wanted.keys() - set(languages):
            self._wanted.pop(language).cancel()

        for language in languages:
            if language not in self._wanted:
                self._wanted[language] = self._group.create_task(
                    self._keep_open(language), name=f"channel of {language}"
                )
        self._tell_change()

    def are_open(self, languages: Collection[LanguageCode]) -> bool:
        """Tell whether each of these can be heard."""
        return self.open.keys() >= set(languages)

    def sid_of(self, language: LanguageCode) -> str:
        """The track of a language's channel; empty where there is none."""
        channel = self.open.get(language)
        return channel.sid if channel is not None else ""

    async def until_open(self) -> None:
        """Wait until every wanted channel is there."""
        await self._all_open.wait()

    def close(self) -> None:
        """Want none any more, for good."""
        self.follow(())

    async def _keep_open(self, language: LanguageCode) -> None:
        """Keep a channel open until cancelled, once its predecessor is gone."""
        async with self._turns[language], AsyncExitStack() as stack:
            # in the order of the offer, and the room sees one negotiation after the other
            async with self._publishing:
                opening = open_channel(self._meeting, language, self._mixers[language])
                channel = await stack.enter_async_context(opening)
            self.open[language] = channel
            stack.callback(self.open.pop, language)
            self._tell_change()
            await asyncio.Event().wait()

    def _tell_change(self) -> None:
        if self.are_open(self._wanted):
            self._all_open.set()
        else:
            self._all_open.clear()

        self._on_change()


@asynccontextmanager
async def open_channels(
    meeting: Meeting, on_change: Callable[[], None]
) -> AsyncGenerator[Channels]:
    """Have channels for the length of a block; they are unpublished when it ends.

    Args:
        meeting: Where they are published.
        on_change: Called when one is there or gone.

    Raises:
        MeetingError: In a group: the room did not let us publish one; the block is cancelled.
    """
    async with asyncio.TaskGroup() as group:
        channels = Channels(meeting, group, on_change)
        try:
            yield channels
        finally:
            channels.close()


@dataclass(frozen=True, slots=True)
class _Downlink:
    language: LanguageCode
    task: asyncio.Task[None]


class Downlinks:
    """One speaker's translated tracks on their way into the channels, over all their sessions.

    Sound may come faster than it is spoken, so some of it is still to be heard when its track, and
    the session with it, is gone. The next track in that language waits for it.
    """

    def __init__(
        self, channels: Mapping[LanguageCode, LanguageChannel], group: asyncio.TaskGroup
    ) -> None:
        """Begin without any.

        Args:
            channels: Where they lead.
            group: Holds them; cancelling it cuts them off.
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
