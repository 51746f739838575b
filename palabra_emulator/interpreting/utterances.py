"""Utterances in sound: where one begins, how far it is, and when silence has confirmed it.

Levels are judged in blocks of 10 ms, with a higher bar for beginning than for going on, so that
the noise of a codec or of a quiet room is no utterance and a soft syllable does not end one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from palabra_agent.audio.pcm import Pcm

HEARING_RATE: Final = 16_000
"""Samples per second of what is listened to: plenty to tell sound from silence."""

_BLOCKS_PER_SECOND: Final = 100
_ONSET_DB: Final = -45.0
_HOLD_DB: Final = -50.0
_ONSET_BLOCKS: Final = 5
_HOLD_BLOCKS: Final = 2
_REPORT_BLOCKS: Final = 25
_LONGEST_BLOCKS: Final = 60 * _BLOCKS_PER_SECOND
"""Sound that never pauses is cut here; speech never gets near."""


def _power(db: float) -> float:
    return float((32768 * 10 ** (db / 20)) ** 2)


_ONSET_POWER: Final = _power(_ONSET_DB)
_HOLD_POWER: Final = _power(_HOLD_DB)


@dataclass(frozen=True, slots=True)
class UtteranceBegan:
    """The speaker has begun an utterance."""

    start: float
    """Seconds of sound heard before."""


@dataclass(frozen=True, slots=True)
class UtteranceGrew:
    """The speaker is still speaking; told about four times a second."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class UtteranceEnded:
    """The speaker has finished: enough silence followed."""

    start: float
    end: float
    """The end of the sound, not of the silence."""


UtteranceEvent: TypeAlias = UtteranceBegan | UtteranceGrew | UtteranceEnded


class UtteranceDetector:
    """Finds utterances in a stream of sound."""

    def __init__(self, sample_rate: int, silence_seconds: float = 0.7) -> None:
        self.silence_seconds = silence_seconds
        """The silence that ends an utterance; may change at any time."""
        self._block = sample_rate // _BLOCKS_PER_SECOND
        self._rest: Pcm = np.zeros(0, dtype=np.int16)
        self._heard = 0
        self._loud_run = 0
        self._start: int | None = None
        self._last_sound = 0
        self._next_report = 0

    @property
    def seconds(self) -> float:
        """The length of the sound heard so far."""
        return self._heard / _BLOCKS_PER_SECOND

    def feed(self, pcm: Pcm) -> list[UtteranceEvent]:
        """Hear some sound of any length."""
        if self._rest.size:
            pcm = np.concatenate((self._rest, pcm))

        blocks = pcm.size // self._block
        self._rest = pcm[blocks * self._block :].copy()
        if blocks == 0:
            return []

        samples = pcm[: blocks * self._block].reshape(blocks, self._block).astype(np.float32)
        powers = np.einsum("ij,ij->i", samples, samples) / self._block
        events: list[UtteranceEvent] = []
        for power in powers.tolist():
            self._hear_block(power, events)

        return events

    def finish(self) -> list[UtteranceEvent]:
        """End the utterance under way, if any: no more sound will come."""
        if self._start is None:
            return []

        return [self._end(self._start)]

    def reset(self) -> None:
        """Forget the utterance under way, if any; nothing will be said about it."""
        self._start = None
        self._loud_run = 0

    def _hear_block(self, power: float, events: list[UtteranceEvent]) -> None:
        self._heard += 1
        is_loud = power >= (_ONSET_POWER if self._start is None else _HOLD_POWER)
        self._loud_run = self._loud_run + 1 if is_loud else 0

        if self._start is None:
            if self._loud_run >= _ONSET_BLOCKS:
                events.append(self._begin())
            return

        if self._loud_run >= _HOLD_BLOCKS:
            self._last_sound = self._heard

        quiet_blocks = self._heard - self._last_sound
        is_too_long = self._heard - self._start >= _LONGEST_BLOCKS
        if is_too_long or quiet_blocks >= round(self.silence_seconds * _BLOCKS_PER_SECOND):
            events.append(self._end(self._start))
        elif is_loud and self._heard >= self._next_report:
            self._next_report = self._heard + _REPORT_BLOCKS
            events.append(UtteranceGrew(self._start / _BLOCKS_PER_SECOND, self.seconds))

    def _begin(self) -> UtteranceBegan:
        self._start = self._heard - self._loud_run
        self._last_sound = self._heard
        self._next_report = self._start + _REPORT_BLOCKS
        return UtteranceBegan(self._start / _BLOCKS_PER_SECOND)

    def _end(self, start: int) -> UtteranceEnded:
        self.reset()
        return UtteranceEnded(start / _BLOCKS_PER_SECOND, self._last_sound / _BLOCKS_PER_SECOND)
