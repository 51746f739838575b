"""Clicks that go to Palabra and come back: the delay of each way, one click after the other.

The next click comes after the answer to the last one, so that a long delay is not taken for a short
one. Both ways are timed where people and Palabra hear them; what Palabra needs is left out.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np

from bench.onsets import Stopwatch
from palabra_agent.audio.pcm import FRAME_SAMPLES, Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.local.people import SimulatedMicrophone

Point: TypeAlias = tuple[float, float]
"""A time in seconds, and milliseconds."""

_CLICK: Final = tone(1000, 0.25, amplitude=0.5)
_WAIT_SECONDS: Final = 4.0
"""A click that takes longer on one of the two ways is lost."""
_AFTERWARDS_SECONDS: Final = 0.4
"""Until a click that is heard is over, and there was a pause."""
_NOISE: Final = np.random.default_rng(0).integers(-100, 100, (50, FRAME_SAMPLES), np.int16)
"""A second of it at -50 dBFS, an ordinary room's."""


class Mouth:
    """A speaker in a room that is never quite silent."""

    def __init__(self, microphone: SimulatedMicrophone) -> None:
        self._microphone = microphone
        self._words: list[Pcm] = []

    def click(self) -> None:
        """Begin to click at once."""
        self._words = np.split(_CLICK, range(FRAME_SAMPLES, _CLICK.size, FRAME_SAMPLES))

    async def breathe(self) -> None:
        """Let the room be heard, and what is said in it, until cancelled."""
        for noise in itertools.cycle(_NOISE):
            frame = noise
            if self._words:
                word = self._words.pop(0)
                frame = mix(noise[: word.size], word)
            await self._microphone.output.write(frame)


@dataclass(frozen=True, slots=True)
class Way:
    """Where the clicks of a meeting are heard, four times: the tracks by their names."""

    here: Stopwatch
    there: Stopwatch
    spoken: str
    """In the meeting, from the speaker."""
    reached: str
    """At Palabra, from the speaker."""
    answered: str
    """At Palabra, from Palabra."""
    heard: str
    """In the meeting, from Palabra."""


@dataclass(slots=True)
class Clicks:
    """The delays of clicks, by the monotonic clock at which each was heard in its own room."""

    up: list[Point] = field(default_factory=list[Point])
    down: list[Point] = field(default_factory=list[Point])
    both: list[Point] = field(default_factory=list[Point])
    lost: list[float] = field(default_factory=list[float])

    async def time_all(self, mouth: Mouth, way: Way) -> None:
        """Click again and again, until cancelled."""
        while True:
            since = time.monotonic()
            mouth.click()
            times = await _times(way, since)
            self.note(since, times)
            await asyncio.sleep(_AFTERWARDS_SECONDS)

    def note(self, since: float, times: list[float]) -> None:
        """Note a click that began at a time, with those at which it was heard; lost if not all."""
        if len(times) < 4:
            self.lost.append(since)
            return

        spoken, reached, answered, heard = times
        up, down = 1000 * (reached - spoken), 1000 * (heard - answered)
        self.up.append((spoken, up))
        self.down.append((spoken, down))
        self.both.append((spoken, up + down))

    def since(self, first: float, start: float) -> Clicks:
        """The clicks from a start on, with times in seconds after a moment."""
        up, down, both = (
            [(at - first, ms) for at, ms in points if at >= start]
            for points in (self.up, self.down, self.both)
        )
        return Clicks(up, down, both, [at - first for at in self.lost if at >= start])


async def _times(way: Way, since: float) -> list[float]:
    """The times at which a click was heard, as far as it was.

    Each is after the one before it: what is left of the answer to an earlier click is not this one.
    """
    times = [since]
    for stopwatch, track in (
        (way.here, way.spoken),
        (way.there, way.reached),
        (way.there, way.answered),
        (way.here, way.heard),
    ):
        key = await stopwatch.key_of(track, _WAIT_SECONDS)
        at = await stopwatch.next_onset(key, times[-1], _WAIT_SECONDS)
        if at is None:
            break
        times.append(at)

    return times[1:]
