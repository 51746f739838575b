"""The two ends of LiveKit's audio: a remote track heard as frames, and a source that plays them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import numpy as np
from livekit import rtc

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm

_RING_FRAMES: Final = 50
"""Frames that LiveKit's stream may hold while the event loop stalls; our own buffers decide which
of them are too late, and count those."""

_QUEUE_MS: Final = 40
"""So much may wait to be played. It adds to the delay once it is full, so it is short."""
_CLOSE_SECONDS: Final = 1.0
_LULL_SECONDS: Final = 0.2
"""Nothing more comes of a track that has ended and was still for so long."""

logger = logging.getLogger(__name__)


class RemoteAudio:
    """A remote audio track that can be listened to."""

    def __init__(self, track: rtc.Track) -> None:
        self._track = track
        self._has_ended = False
        self._waiting: set[asyncio.Timeout] = set()
        """The waiting for a frame, of each listener who does."""

    def end(self) -> None:
        """Say that nothing more comes; then its frames end for every listener."""
        if self._has_ended:
            return

        self._has_ended = True
        for waiting in self._waiting:
            waiting.reschedule(_lull_ends_at())

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen to the track; a stream never ends by itself, so leaving the block closes it."""
        stream = rtc.AudioStream.from_track(
            track=self._track,
            sample_rate=SAMPLE_RATE,
            num_channels=1,
            frame_size_ms=FRAME_MS,
            capacity=_RING_FRAMES,
        )
        try:
            yield self._frames(stream)
        finally:
            try:
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await stream.aclose()
            except TimeoutError:
                logger.warning("an audio stream did not close in time")

    async def _frames(self, stream: rtc.AudioStream) -> AsyncIterator[Frame]:
        reader = FrameReader()
        while (heard := await self._next(stream, reader)) is not None:
            yield heard

    async def _next(self, stream: rtc.AudioStream, reader: FrameReader) -> Frame | None:
        """Wait for the next frame; None after the last.

        Of a track that is gone silence comes for ever, after what was still on its way; of one that
        went with its room nothing comes at all.
        """
        waiting = asyncio.timeout_at(_lull_ends_at() if self._has_ended else None)
        try:
            async with waiting:
                self._waiting.add(waiting)
                event = await anext(stream)
        except (TimeoutError, StopAsyncIteration):
            return None
        finally:
            self._waiting.discard(waiting)

        heard = reader.read(np.frombuffer(event.frame.data, dtype=np.int16))
        return None if self._has_ended and heard.peak == 0 else heard


def _lull_ends_at() -> float:
    return asyncio.get_running_loop().time() + _LULL_SECONDS


class AudioOutput:
    """Plays frames on a local track.

    Between frames the track is silent by itself. One writer at a time: LiveKit refuses a second.
    """

    def __init__(self, name: str) -> None:
        self._source = rtc.AudioSource(SAMPLE_RATE, 1, queue_size_ms=_QUEUE_MS)
        self._free_at = 0.0
        self.track = rtc.LocalAudioTrack.create_audio_track(name, self._source)
        """The track to publish."""

    async def write(self, samples: Pcm) -> None:
        """Play a frame after those that wait; returns at once while the queue is short.

        Cancelling it does not take the frame back.
        """
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(self._free_at - loop.time(), 0))
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
            self._free_at = loop.time() + 2 * _QUEUE_MS / 1000
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
    """Options for speech that a pipeline listens to: Palabra needs DTX off and wants no RED."""
    return rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False)


def is_up(room: rtc.Room) -> bool:
    """Tell whether we are in the room; `Room.isconnected()` is true while it reconnects as well."""
    return room.connection_state == rtc.ConnectionState.CONN_CONNECTED
