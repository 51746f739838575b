"""Translated speech that comes over a WebSocket in bursts, as tracks to listen to.

Palabra sends 24 kHz mono sound in messages of any length, faster than it is spoken. Each language
has a queue that keeps it as it came, in order of arrival, and makes our frames of it only when they
are due: a track gives them out at the speed of speech. When too much waits, the oldest goes, by the
same two bounds that Palabra has for the queues on its own side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from palabra_agent.audio.frame import Frame, FrameReader
from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler
from palabra_agent.languages import TARGET_LANGUAGES, LanguageCode, match
from palabra_agent.palabra.protocol.messages import AudioChunk
from palabra_agent.palabra.vocabulary import GLOBAL

SPEECH_RATE: Final = 24_000
"""Samples per second of what Palabra speaks."""

_SAMPLE_BYTES: Final = 2
_MS_BYTES: Final = SPEECH_RATE * _SAMPLE_BYTES // 1000
_FRAME_BYTES: Final = FRAME_MS * _MS_BYTES

_TICK_SECONDS: Final = FRAME_MS / 1000
_STALL_SECONDS: Final = 3 * _TICK_SECONDS
"""A late frame is caught up with, but no more than this: what plays it holds little more."""

_LEAD_SECONDS: Final = _TICK_SECONDS
"""The first two frames after a pause come together, so that a late tick tears no word apart."""

_MISSING_SECONDS: Final = 0.1
"""An utterance that stopped in the middle may go on for so long before its end is heard."""

_MOST_TRACKS: Final = 32
"""More languages than a room offers; each may hold a megabyte."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """Bounds on the speech that waits to be heard, in milliseconds; Palabra's defaults."""

    max_ms: int = 20_000
    """Where more waits, the oldest goes."""
    desired_ms: int = 6_000
    """Until so much is left."""


@dataclass(frozen=True, slots=True)
class SpeechStatistics:
    """The whereabouts of the speech, in milliseconds: in = out + dropped + hushed + held."""

    in_ms: float
    out_ms: float
    dropped_ms: float
    """Lost because too much waited."""
    hushed_ms: float
    """Withdrawn before it was heard."""
    held_ms: float


class SpeechQueue:
    """One language's speech on its way to the listener. Pure."""

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._upsampler = Resampler(SPEECH_RATE, SAMPLE_RATE)
        self._utterance: object = None
        self._is_finished = True
        """True where nothing is missing of what is held."""
        self._is_ringing = False
        """True while the upsampler still holds the end of what was given out."""
        self._in = self._out = self._dropped = self._hushed = 0

    @property
    def is_under_way(self) -> bool:
        """True while something was begun of which more must come, or be given up."""
        return not self._is_finished and bool(self._held or self._is_ringing)

    def limit(self, limits: QueueLimits) -> None:
        """Let more or less wait, as soon as something comes."""
        self._limits = limits

    def put(self, sound: bytes, utterance: object, *, is_last: bool) -> None:
        """Add a chunk of an utterance; a sample may be torn between two of them."""
        if utterance != self._utterance:
            self._complete_samples()

        self._utterance, self._is_finished = utterance, is_last
        self._held += sound
        self._in += len(sound)
        if is_last:
            self._complete_samples()

        if len(self._held) > self._limits.max_ms * _MS_BYTES:
            self._dropped += self._discard(len(self._held) - self._limits.desired_ms * _MS_BYTES)

    def finish(self) -> None:
        """Give up waiting for more of what was begun."""
        self._complete_samples()
        self._is_finished = True

    def hush(self) -> None:
        """Withdraw what is held."""
        self._hushed += self._discard(len(self._held))
        self._is_finished = True

    def take(self) -> Pcm | None:
        """Remove the next frame; None where nothing waits, or less than a frame and more comes."""
        missing = _FRAME_BYTES - len(self._held)
        if missing > 0 and not (self._is_finished and (self._held or self._is_ringing)):
            return None

        sound = bytes(self._held[:_FRAME_BYTES])
        del self._held[:_FRAME_BYTES]
        self._out += len(sound)
        self._is_ringing = missing < self._upsampler.delay_samples * _SAMPLE_BYTES
        return self._upsampler.push(np.frombuffer(sound.ljust(_FRAME_BYTES, b"\0"), "<i2"))

    def statistics(self) -> SpeechStatistics:
        """Tell where the speech went so far."""
        counts = (self._in, self._out, self._dropped, self._hushed, len(self._held))
        return SpeechStatistics(*(count / _MS_BYTES for count in counts))

    def _complete_samples(self) -> None:
        """Leave out half a sample: all that follows would be noise."""
        torn = len(self._held) % _SAMPLE_BYTES
        if torn:
            del self._held[-torn:]
            self._dropped += torn

    def _discard(self, count: int) -> int:
        """Remove the oldest bytes, whole samples alone, and return how many."""
        count -= count % _SAMPLE_BYTES
        del self._held[:count]
        return count


class PacedTrack:
    """A translated track without a clock at its other end; one listener at a time.

    What comes before there is a listener waits for one, within its limits.
    """

    def __init__(self, limits: QueueLimits) -> None:
        self._speech = SpeechQueue(limits)
        self._changed = asyncio.Event()
        self._is_closed = False

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
        async with aclosing(self._play()) as frames:
            yield frames

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
                await self._wait()
                due = max(due, loop.time() - _LEAD_SECONDS)

    async def _wait(self) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(_MISSING_SECONDS if self._speech.is_under_way else None):
                await self._changed.wait()
        except TimeoutError:
            self._speech.finish()


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

    def close(self) -> Iterator[PacedTrack]:
        """End all tracks, and tell which they were; what they hold is still heard."""
        for track in self._tracks.values():
            track.close()
            yield track

    def log_statistics(self) -> None:
        """Log where the speech went: every lost millisecond counts."""
        for code, track in self._tracks.items():
            # in the log stand languages that there are, and nothing else that Palabra says
            language = code if code in TARGET_LANGUAGES else "unknown"
            logger.info("speech came", extra={"language": language, **asdict(track.statistics())})

        if self._surplus_chunks:
            logger.warning("too many languages came", extra={"chunks": self._surplus_chunks})

        if self._corrupt_chunks:
            logger.warning("corrupt speech was left out", extra={"chunks": self._corrupt_chunks})
