"""The recent sound of one track, with the time at which each piece of it was heard.

Pure: it knows neither LiveKit nor clocks. Times are whatever the writer gives, in seconds; the
memory is bounded, the oldest sound is forgotten.
"""

from __future__ import annotations

import bisect
from collections import deque
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone_level_db

AUDIBLE_DB: Final = -40.0
"""Sound above this is audible: far over a codec's noise, under the softest marker."""

_TONE_WINDOW_SECONDS: Final = 0.1
"""Long enough to tell markers 50 Hz apart, short enough to say when one began."""


def _peak_for(db: float) -> float:
    return float(32767 * 10 ** (db / 20))


class Recording:
    """The last `seconds` of sound that were heard on a track."""

    def __init__(self, seconds: float = 30.0) -> None:
        self._kept_samples = round(seconds * SAMPLE_RATE)
        self._frames: deque[Pcm] = deque()
        self._times: deque[float] = deque()
        self._samples = 0

    @property
    def seconds(self) -> float:
        """The length of the sound that is kept."""
        return self._samples / SAMPLE_RATE

    def add(self, frame: Pcm, at: float) -> None:
        """Keep a frame that was heard, to its end, at this time; times never go back."""
        self._frames.append(frame)
        self._times.append(at)
        self._samples += frame.size

        while self._samples > self._kept_samples:
            self._times.popleft()
            self._samples -= self._frames.popleft().size

    def last(self, seconds: float) -> Pcm:
        """The newest sound, at most so much."""
        wanted = round(seconds * SAMPLE_RATE)
        parts: list[Pcm] = []
        for frame in reversed(self._frames):
            if wanted <= 0:
                break
            parts.append(frame[-wanted:])
            wanted -= frame.size

        return _joined(parts[::-1])

    def between(self, start: float, end: float = float("inf")) -> Pcm:
        """The sound of a stretch of time, by whole frames."""
        first, last = bisect.bisect_right(self._times, start), bisect.bisect_right(self._times, end)
        return _joined([self._frames[place] for place in range(first, last)])

    def level_db(self, hz: float, *, seconds: float = 0.5) -> float:
        """The level of a tone in the newest sound, in dB below full scale."""
        return tone_level_db(self.last(seconds), hz)

    def first_sound(self, since: float, *, above_db: float = AUDIBLE_DB) -> float | None:
        """The time at which the first audible frame after `since` was heard."""
        peak = _peak_for(above_db)
        for place in range(bisect.bisect_right(self._times, since), len(self._frames)):
            frame = self._frames[place]
            if max(int(frame.max()), -int(frame.min())) >= peak:
                return self._times[place]

        return None

    def longest_silence(self, start: float, end: float, *, above_db: float = AUDIBLE_DB) -> float:
        """The longest time between two moments in which nothing audible was heard."""
        peak = _peak_for(above_db)
        longest, heard_at = 0.0, start
        for place in range(bisect.bisect_right(self._times, start), len(self._frames)):
            frame, at = self._frames[place], self._times[place]
            if at > end:
                break
            if max(int(frame.max()), -int(frame.min())) >= peak:
                longest, heard_at = max(longest, at - heard_at), at

        return max(longest, end - heard_at)

    def first_tone(self, hz: float, since: float, *, above_db: float = AUDIBLE_DB) -> float | None:
        """The first time after `since` at which a tone was heard: the end of its window."""
        first = bisect.bisect_right(self._times, since)
        frames = [self._frames[place] for place in range(first, len(self._frames))]
        sound, window = _joined(frames), round(_TONE_WINDOW_SECONDS * SAMPLE_RATE)
        end = 0
        for place, frame in enumerate(frames):
            end += frame.size
            if end >= window and tone_level_db(sound[end - window : end], hz) > above_db:
                return self._times[first + place]

        return None


def _joined(parts: list[Pcm]) -> Pcm:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int16)
