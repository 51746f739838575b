"""Which translated tracks a connection carries: messages with sound sorted by language."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Final

from palabra_agent.languages import LanguageCode, match
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.transports.stream.paced_track import PacedTrack
from palabra_agent.palabra.transports.stream.speech_queue import QueueLimits
from palabra_agent.palabra.vocabulary import GLOBAL

_MOST_TRACKS: Final = 32
"""More languages than anybody asks for; each may hold a megabyte."""

logger = logging.getLogger(__name__)


class SpeechTracks:
    """The tracks of one connection. Each is there from its first chunk on, and until the end."""

    def __init__(
        self, unpack: Callable[[bytes], bytes | None], limits: Mapping[str, QueueLimits]
    ) -> None:
        """Begin without any.

        Args:
            unpack: Makes bare samples out of a chunk's sound; None where it is corrupt.
            limits: How much speech may wait to be heard, by language or for all as `global`; read
                with every chunk, as it may change.
        """
        self._unpack = unpack
        self._limits = limits
        self._tracks: dict[LanguageCode, PacedTrack] = {}
        self._corrupt_chunks = 0
        self._surplus_chunks = 0

    def put(self, chunk: AudioChunk) -> PacedTrack | None:
        """Add a chunk to its track; returns the track where it is new."""
        sound = self._unpack(chunk.sound)
        if sound is None or not chunk.language:
            self._corrupt_chunks += 1
            return None

        limits = self._limits.get(chunk.language) or self._limits.get(GLOBAL) or QueueLimits()
        track = self._tracks.get(chunk.language)
        if track is not None:
            track.limit(limits)
            track.put(chunk, sound)
            return None

        if len(self._tracks) >= _MOST_TRACKS:
            self._surplus_chunks += 1
            return None

        track = self._tracks[chunk.language] = PacedTrack(limits)
        track.put(chunk, sound)
        return track

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Withdraw what is not heard yet in some languages, or in all if empty."""
        known = list(self._tracks)
        for language in {match(it, known) for it in languages} if languages else known:
            if language is not None:
                self._tracks[language].hush()

    async def until_silent(self, seconds: float) -> None:
        """Wait until whoever listens has heard what came, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for track in self._tracks.values():
                    await track.until_silent()

    def close(self) -> Iterator[PacedTrack]:
        """End all tracks, and tell which they were; what they hold is still heard."""
        for track in self._tracks.values():
            track.close()
            yield track

    def account(self) -> None:
        """Tell the operator where the speech went: every lost millisecond counts."""
        for language, track in self._tracks.items():
            logger.info("speech came", extra={"language": language, **asdict(track.statistics())})

        if self._surplus_chunks:
            logger.warning("too many languages came", extra={"chunks": self._surplus_chunks})

        if self._corrupt_chunks:
            logger.warning("corrupt speech was left out", extra={"chunks": self._corrupt_chunks})
