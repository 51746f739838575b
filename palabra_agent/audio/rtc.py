"""The two ends of LiveKit's audio: a remote track heard as frames, and a source that plays them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import numpy as np
from livekit import rtc

from palabra_agent.audio.event_path import AudioFrames, open_source, open_stream
from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_RING_FRAMES: Final = 50
"""Frames that LiveKit's stream may hold while the event loop stalls; our own buffers decide which
of them are too late, and count those."""

_QUEUE_MS: Final = 40
"""So much may wait to be played. It adds to the delay once it is full, so it is short."""
_CLOSE_SECONDS: Final = 1.0

_BITRATE: Final = 72_000
"""Of speech, in bits a second. Below about 64,000 Opus makes a model of the voice first, which
takes twice the processor time."""

logger = logging.getLogger(__name__)


class RemoteAudio:
    """A remote audio track that can be listened to."""

    def __init__(self, track: rtc.Track) -> None:
        self._track = track
        self._has_ended = False
        self._streams: set[AudioFrames] = set()
        """Those of its listeners."""

    def end(self) -> None:
        """Say that nothing more comes; then its frames end for every listener."""
        if not self._has_ended:
            self._has_ended = True
            for stream in self._streams:
                stream.end()

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen to the track; a stream never ends by itself, so leaving the block closes it."""
        try:
            stream = open_stream(self._track, capacity=_RING_FRAMES)
        except AssertionError:
            # LiveKit's SDK has taken the track back, and will tell
            yield _no_frames()
            return

        self._streams.add(stream)
        if self._has_ended:
            stream.end()
        try:
            yield self._frames(stream)
        finally:
            self._streams.remove(stream)
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await stream.aclose()
            except TimeoutError:
                logger.warning("an audio stream did not close in time")

    async def _frames(self, stream: AudioFrames) -> AsyncIterator[Frame]:
        """Read what comes. Of a track that has ended silence may come for ever."""
        reader = FrameReader()
        async for event in stream:
            heard = reader.read(np.frombuffer(event.frame.data, dtype=np.int16))
            if self._has_ended and heard.peak == 0:
                return

            yield heard


async def _no_frames() -> AsyncIterator[Frame]:
    return
    yield


class AudioOutput:
    """Plays frames on a local track.

    Between frames the track is silent by itself. One writer at a time: LiveKit refuses a second.
    """

    def __init__(self, name: str) -> None:
        self._source = open_source(_QUEUE_MS)
        self._free_at = 0.0
        """The time from which LiveKit takes frames again, where a write was cancelled."""
        self.track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        """The track to publish."""

    @property
    def waiting_ms(self) -> float:
        """So much waits to be played."""
        return self._source.queued_duration * 1000

    async def write(self, samples: Pcm) -> None:
        """Play a frame after those that wait; returns at once while the queue is short.

        Cancelling it does not take the frame back.
        """
        if self._free_at:
            await asyncio.sleep(self._free_at - asyncio.get_running_loop().time())
            self._free_at = 0.0

        played = rtc.AudioFrame(
            samples.tobytes(),
            sample_rate=SAMPLE_RATE,
            num_channels=1,
            samples_per_channel=samples.size,
        )
        try:
            await self._source.capture_frame(played)
        except asyncio.CancelledError:
            # LiveKit goes on with it, and refuses the next one until it is done
            self._free_at = asyncio.get_running_loop().time() + 2 * _QUEUE_MS / 1000
            raise

    async def drain(self) -> None:
        """Wait until everything that was written has been played."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._source.wait_for_playout()

    async def aclose(self) -> None:
        """Release the source and its thread."""
        await self._source.aclose()


def microphone_options() -> rtc.TrackPublishOptions:
    """Options for speech: DTX off, which Palabra needs, and no RED, which nothing here needs.

    Channels have them too. LiveKit's hooks take an agent's track of this source for its voice, and
    wait for ever where there is none; with DTX the first sound after a pause would come late.
    """
    options = rtc.TrackPublishOptions(
        source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False
    )
    options.audio_encoding.max_bitrate = _BITRATE
    return options


def is_up(room: rtc.Room) -> bool:
    """Tell whether we are in the room; `Room.isconnected()` is true while it reconnects as well."""
    return room.connection_state == rtc.ConnectionState.CONN_CONNECTED
