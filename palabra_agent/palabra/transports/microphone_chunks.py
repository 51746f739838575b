"""The speaker's voice cut into the chunks that Palabra wants: one every so many milliseconds. Pure.

What is written arrives as frames, with nothing in between where the speaker is silent; what leaves
is a sound without gaps, at the pace of the clock. Frames keep their places in time, so that pauses
stay as long as they were. A voice that waited, while Palabra woke up or the network stalled, is
sent a quarter faster than it was spoken until nothing waits any more: the delay goes away, and
every word is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_HASTE: Final = 1.25
"""A voice that waited is sent so much faster than real time. Palabra only warns of too much."""

_CUSHION_SECONDS: Final = 0.04
"""A chunk leaves so long after its last moment, for frames that are a little late."""

_JITTER_SECONDS: Final = 0.04
"""A frame that is late by less belongs to the one before; by more, there was silence between."""

_PUSHING_SECONDS: Final = 0.06
"""So much silence after the last word takes it out of any encoder, which holds a little back."""

_LATEST_SECONDS: Final = 1.0
"""So much is sent at once after a stall; what was missed before that is missed."""


@dataclass(frozen=True, slots=True)
class VoiceStatistics:
    """The whereabouts of the voice, in milliseconds: in + silence = out + dropped + held."""

    in_ms: float
    """Written by the session."""
    silence_ms: float
    """Added where nothing was written."""
    out_ms: float
    dropped_ms: float
    """Not sent, because Palabra did not listen."""
    held_ms: float


class MicrophoneChunks:
    """One speaker's voice. Times are in seconds of any steady clock."""

    def __init__(self, chunk_ms: int) -> None:
        self._chunk = chunk_ms * SAMPLE_RATE // 1000
        self._chunk_seconds = chunk_ms / 1000
        self._saved_seconds = self._chunk_seconds * (1 - 1 / _HASTE)
        """The delay that a chunk sent in haste wins back."""
        spare = self._saved_seconds + _JITTER_SECONDS
        self._enough = _samples(self._chunk_seconds + _CUSHION_SECONDS + spare)
        self._longest_past = self._chunk_seconds + _CUSHION_SECONDS + _LATEST_SECONDS
        self._begins_at = math.inf
        """The beginning of the next chunk, by the clock; infinity while Palabra does not listen."""
        self._held: Pcm = np.empty(0, np.int16)
        self._is_hasty = False
        self._in = self._silence = self._out = self._dropped = 0

    @property
    def is_listening(self) -> bool:
        """True while anything is sent."""
        return not math.isinf(self._begins_at)

    @property
    def is_full(self) -> bool:
        """True while the writer should wait, until a chunk has left or Palabra does not listen."""
        return self._held.size >= self._enough

    @property
    def is_hasty(self) -> bool:
        """True while everything that is held is to leave at once."""
        return self._is_hasty

    @property
    def due_at(self) -> float:
        """The time at which the next chunk is to leave; infinity while Palabra does not listen."""
        if self._is_hasty:
            return -math.inf

        return self._begins_at + self._chunk_seconds + _CUSHION_SECONDS

    def late_ms(self, now: float) -> float:
        """Tell how much later than it is spoken a frame will leave that is written now."""
        if not self.is_listening:
            return 0.0

        return max(self._begins_at + self._held.size / SAMPLE_RATE - now, 0.0) * 1000

    def begin(self, now: float) -> None:
        """Begin to send; from now on there is a chunk for every moment."""
        if not self.is_listening:
            self._begins_at = now

    def hasten(self) -> None:
        """Let everything that is held leave at once, and let no encoder keep its end."""
        if self.is_listening:
            pushing = _samples(_PUSHING_SECONDS)
            self._held = np.concatenate((self._held, np.zeros(pushing, np.int16)))
            self._silence += pushing
            self._is_hasty = True

    def stop(self) -> None:
        """Send no more, not even what is held."""
        self._is_hasty = False
        self._begins_at = math.inf
        self._dropped += self._held.size
        self._held = self._held[:0]

    def write(self, spoken: Pcm, now: float) -> None:
        """Add a frame that was spoken until now."""
        self._in += spoken.size
        if not self.is_listening:
            self._dropped += spoken.size
            return

        self._miss_what_is_past(now)
        missing = now - self._begins_at - (self._held.size + spoken.size) / SAMPLE_RATE
        pause = _samples(missing) if missing > _JITTER_SECONDS else 0
        self._silence += pause
        self._held = np.concatenate((self._held, np.zeros(pause, np.int16), spoken))

    def take(self, now: float) -> Pcm:
        """Remove the chunk that is due, filled with silence where too little was written."""
        self._miss_what_is_past(now)
        taken, self._held = self._held[: self._chunk], self._held[self._chunk :]
        chunk = np.zeros(self._chunk, np.int16)
        chunk[: taken.size] = taken
        self._silence += chunk.size - taken.size
        self._out += chunk.size
        self._begins_at += self._chunk_seconds
        self._is_hasty = self._is_hasty and self._held.size > 0
        if self._begins_at + self._held.size / SAMPLE_RATE - now >= self._saved_seconds:
            self._begins_at -= self._saved_seconds

        return chunk

    def statistics(self) -> VoiceStatistics:
        """Tell where the voice went so far."""
        counts = (self._in, self._silence, self._out, self._dropped, self._held.size)
        return VoiceStatistics(*(count * 1000 / SAMPLE_RATE for count in counts))

    def _miss_what_is_past(self, now: float) -> None:
        self._begins_at = max(self._begins_at, now - self._longest_past)


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)
