"""The bot's ear and mouth: the client's microphone heard, one track per target language spoken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from livekit import rtc
from livekit.rtc.participant import PublishTrackError, UnpublishTrackError

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.pipeline import HEARING_RATE
from palabra_emulator.ports import TransportLost
from palabra_emulator.speaking import SPEECH_RATE

logger = logging.getLogger(__name__)

_DEADLINE_SECONDS: Final = 5.0
_UNPUBLISH_SECONDS: Final = 2.0
_HEARING_FRAME_MS: Final = 50
"""Long frames cost little, and utterances are measured in 10 ms all the same."""

_HEARING_BACKLOG_FRAMES: Final = 20
_SOURCE_QUEUE_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Microphone:
    track: rtc.RemoteAudioTrack
    publication: rtc.RemoteTrackPublication


class Ear:
    """Hears one microphone at a time: the one that was subscribed to last."""

    def __init__(self) -> None:
        self._microphone: _Microphone | None = None
        self._changed = asyncio.Event()
        self._packets_received = 0

    def attach(self, track: rtc.RemoteAudioTrack, publication: rtc.RemoteTrackPublication) -> None:
        """Hear this one from now on."""
        self._microphone = _Microphone(track, publication)
        self._changed.set()

    def detach(self, sid: str) -> None:
        """Hear a microphone no longer."""
        if self._microphone is not None and self._microphone.publication.sid == sid:
            self._microphone = None

    async def listen(self, hear: Callable[[Pcm], None]) -> None:
        """Hear whichever microphone there is, for ever; a muted one says nothing."""
        while True:
            self._changed.clear()
            microphone = self._microphone
            if microphone is None:
                await self._changed.wait()
            else:
                await self._listen_to(microphone, hear)

    async def has_input(self) -> bool:
        """Whether RTP has arrived since the last question; a muted track does not count.

        An AudioStream yields silence whether or not the track still lives, so it cannot tell.
        """
        microphone = self._microphone
        if microphone is None or microphone.publication.muted:
            return False

        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                stats = await microphone.track.get_stats()
        except TimeoutError:
            return False

        before = self._packets_received
        self._packets_received = sum(stat.inbound_rtp.received.packets_received for stat in stats)
        return self._packets_received != before

    async def _listen_to(self, microphone: _Microphone, hear: Callable[[Pcm], None]) -> None:
        stream = rtc.AudioStream.from_track(
            track=microphone.track,
            sample_rate=HEARING_RATE,
            num_channels=1,
            frame_size_ms=_HEARING_FRAME_MS,
            capacity=_HEARING_BACKLOG_FRAMES,
        )
        try:
            async for event in stream:
                if self._microphone is not microphone:
                    return
                if not microphone.publication.muted:
                    hear(np.frombuffer(event.frame.data, dtype=np.int16))
        finally:
            await stream.aclose()

        self.detach(microphone.publication.sid)


class Mouth:
    """Speaks on one track per language."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._sources: dict[str, rtc.AudioSource] = {}

    async def offer(self, languages: Sequence[str], *, anew: bool) -> None:
        """Publish exactly these languages; `anew` also takes back those that stay.

        Raises:
            TransportLost: A track could not be published.
        """
        gone = [language for language in self._sources if anew or language not in languages]
        async with asyncio.TaskGroup() as withdrawing:
            for language in gone:
                withdrawing.create_task(self._withdraw(language))
        new = [language for language in languages if language not in self._sources]
        async with asyncio.TaskGroup() as publishing:
            for language in new:
                publishing.create_task(self._publish(language))

    async def speak(self, language: str, pcm: Pcm) -> None:
        """Let speech be heard; a language that is not offered is not."""
        source = self._sources.get(language)
        if source is None:
            return

        frame = rtc.AudioFrame(pcm.tobytes(), SPEECH_RATE, 1, pcm.size)
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await source.capture_frame(frame)

    def hush(self, language: str) -> None:
        """Withdraw the speech that is not heard yet."""
        source = self._sources.get(language)
        if source is not None:
            source.clear_queue()

    async def _publish(self, language: str) -> None:
        source = rtc.AudioSource(SPEECH_RATE, 1, queue_size_ms=_SOURCE_QUEUE_MS)
        track = rtc.LocalAudioTrack.create_audio_track(_track_name(language), source)
        options = rtc.TrackPublishOptions(
            source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False, red=False
        )
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._room.local_participant.publish_track(track, options)
        except (PublishTrackError, TimeoutError):
            raise TransportLost("a translation track could not be published") from None

        self._sources[language] = source

    async def _withdraw(self, language: str) -> None:
        """Take a track back; it is found by its name, since a reconnect gives it a new sid."""
        source = self._sources.pop(language)
        name = _track_name(language)
        published = self._room.local_participant.track_publications
        sids = [sid for sid, publication in published.items() if publication.name == name]
        try:
            async with asyncio.timeout(_UNPUBLISH_SECONDS):
                for sid in sids:
                    await self._room.local_participant.unpublish_track(sid)
        except (UnpublishTrackError, TimeoutError):
            logger.debug("a translation track could not be unpublished")
        finally:
            await source.aclose()


def _track_name(language: str) -> str:
    return f"translation_{language}"
