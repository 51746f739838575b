"""Translated speech that came in bursts, given out in frames: one language's queue. Pure.

Palabra sends 24 kHz mono sound in messages of any length, faster than it is spoken. It is kept as
it came, in order of arrival, and made into our frames only when it is to be heard. When too much
waits, the oldest goes, by the same two bounds that Palabra has for the queues on its own side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import FRAME_MS, SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler

SPEECH_RATE: Final = 24_000
"""Samples per second of what Palabra speaks."""

_SAMPLE_BYTES: Final = 2
_MS_BYTES: Final = SPEECH_RATE * _SAMPLE_BYTES // 1000
_FRAME_BYTES: Final = FRAME_MS * _MS_BYTES


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How much may wait to be heard, in milliseconds; Palabra's defaults."""

    max_ms: int = 20_000
    """When more waits, the oldest goes."""
    desired_ms: int = 6_000
    """Until so much is left."""


@dataclass(frozen=True, slots=True)
class SpeechStatistics:
    """Where the speech went, in milliseconds: in = out + dropped + hushed + held."""

    in_ms: float
    out_ms: float
    dropped_ms: float
    """Lost because too much waited."""
    hushed_ms: float
    """Withdrawn because nobody should hear it any more."""
    held_ms: float


class SpeechQueue:
    """One language's speech on its way to who listens."""

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits
        self._held = bytearray()
        self._upsampler = Resampler(SPEECH_RATE, SAMPLE_RATE)
        self._utterance: object = None
        self._is_finished = True
        """Whether nothing is missing of what is held."""
        self._is_ringing = False
        """Whether the upsampler still holds the end of what was given out."""
        self._in = self._out = self._dropped = self._hushed = 0

    @property
    def is_under_way(self) -> bool:
        """Whether something was begun of which more must come, or be given up."""
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
