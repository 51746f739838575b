"""A voice through a process that is stopped again and again, and the delay that is left of that.

In its pauses there is noise: that a queue runs empty by itself is not to be relied upon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE, Pcm
from tests.fakes import PlayedTrack, frame

_NOISE: Final = 40
_SPEECH: Final = 1000
_FRAMES: Final = 250
_PAUSES: Final = (range(50), range(170, 220))
_STOPS: Final = (75, 105, 135)
_STOP_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Delays:
    """The delays of the frames of a voice, in milliseconds."""

    before: float
    """The longest before the process was stopped for the first time."""
    amid: float
    """The longest until the next pause."""
    after: float
    """The longest after that pause."""


async def speak_through_stops(put: Callable[[Frame], None], track: PlayedTrack) -> Delays:
    """Speak for five seconds, and be heard on a track that the process plays.

    Args:
        put: Takes the frames as they come: those that came during a stop all at once after it.
        track: Where they are heard.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(_FRAMES):
        await asyncio.sleep(began + number * FRAME_MS / 1000 - loop.time())
        if number in _STOPS:
            track.stand_still(_STOP_SECONDS)
            await asyncio.sleep(_STOP_SECONDS)
        put(frame(_level_of(number)))
    await asyncio.sleep(1)
    delays = {_number_of(it): at - began for at, it in map(_without_cushion, track.played)}
    return _worst(delays)


def _level_of(number: int) -> int:
    """Make each frame one of its own; those of pauses are soft."""
    is_pause = any(number in it for it in _PAUSES)
    return number + (_NOISE if is_pause else _SPEECH)


def _number_of(sound: Pcm) -> int:
    level = int(sound[-1])
    return level - (_SPEECH if level >= _SPEECH else _NOISE)


def _without_cushion(played: tuple[float, Pcm]) -> tuple[float, Pcm]:
    at, sound = played
    return at + (sound.size - FRAME_SAMPLES) / SAMPLE_RATE, sound


def _worst(heard_at: dict[int, float]) -> Delays:
    late = {it: at * 1000 - it * FRAME_MS for it, at in heard_at.items()}
    first, last = _STOPS[0], _PAUSES[1].stop
    return Delays(
        max(ms for it, ms in late.items() if it < first),
        max(ms for it, ms in late.items() if first <= it < last),
        max(ms for it, ms in late.items() if it >= last),
    )
