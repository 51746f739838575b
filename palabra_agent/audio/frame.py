"""Frames of sound with their level, the reader that measures it once, and sources of frames."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, SILENCE_PEAK, Pcm, duration_ms, peak

_OVER_NOISE: Final = 2.0
"""Speech that is less than 6 dB above the noise is not understood."""

_LOUDEST_NOISE: Final = 820.0
"""Noise counts as such up to -32 dBFS; what is always louder is a sound of its own, like music."""

_RISE_PER_MS: Final = 0.00025
"""The floor doubles in some three seconds in which nothing is as quiet; every pause lowers it."""

ONSET_MS: Final = 60.0
"""So much sound in a row is speech; less is a click."""

PRE_ROLL_MS: Final = 240.0
"""So much sound from before a word is recognised as one is kept with it: soft consonants, and the
60 ms of recognising. More would make every first word later."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A few milliseconds of one stream of sound, measured when they were read."""

    samples: Pcm
    peak: int
    """The largest amplitude."""
    is_pause: bool
    """True where it holds no speech, only silence or the noise of its stream."""
    is_late: bool = False
    """True where it had to wait until it could be heard: no word of it may be left out."""

    @property
    def is_silent(self) -> bool:
        """True where it is too quiet to be heard: it need not be played."""
        return self.peak < SILENCE_PEAK

    @property
    def duration_ms(self) -> float:
        """Its length in milliseconds."""
        return duration_ms(self.samples)


class FrameReader:
    """Makes the frames of one stream: measures each, and tells pauses by the noise before it."""

    def __init__(self) -> None:
        self._noise = 0.0
        """The level of the stream's noise, as far as it was heard."""

    def read(self, samples: Pcm) -> Frame:
        """Make a frame of the samples that come next in the stream."""
        level = peak(samples)
        risen = self._noise * (1 + _RISE_PER_MS * duration_ms(samples)) + 1
        self._noise = min(level, risen, _LOUDEST_NOISE)
        return Frame(samples, level, is_pause=level < max(PAUSE_PEAK, _OVER_NOISE * self._noise))

    def cut(self, sound: Pcm) -> Iterator[Frame]:
        """Make frames of a longer sound, which comes next in the stream."""
        for start in range(0, sound.size, FRAME_SAMPLES):
            yield self.read(sound[start : start + FRAME_SAMPLES])


class FrameSource(Protocol):
    """A sound that can be listened to, such as a microphone or a translated track."""

    def open_frames(self) -> AbstractAsyncContextManager[AsyncIterator[Frame]]:
        """Listen: yields frames in real time until the sound ends; closed on exit."""
        ...
