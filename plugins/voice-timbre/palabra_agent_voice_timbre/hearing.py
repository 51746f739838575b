"""Listening beside the event loop: one thread for a room, so that many voices take one core."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Final, Protocol

from palabra_agent.plugin import Speech

ENOUGH: Final = 30
"""Pitches that tell a voice: half a second of it. Of two seconds of speech some 90 are voiced."""

_FIRST_SECONDS: Final = 2.0
"""The most speech that is listened to at first."""
_FURTHER_SECONDS: Final = 1.0
"""The most of it that is listened to again: as much as is new when the host asks again."""

_EAGER_TIMES: Final = 4
"""After these, 5 seconds of speech, it is likely music, or a whisper."""
_ONE_IN: Final = 4
"""From then on so few of the times are listened to."""

_KEPT: Final = 320
"""Pitches per speaker, the latest: those of 5 seconds of voice."""
_SPEAKERS: Final = 100
"""Of whom anything is kept, the latest."""


@dataclass(slots=True)
class _Voice:
    times: int = 0
    """Number of times that it was there to be listened to."""
    pitches: deque[float] = field(default_factory=lambda: deque[float](maxlen=_KEPT))


class Evidence:
    """The pitches of speakers who were not heard for long enough."""

    def __init__(self) -> None:
        self._voices: OrderedDict[str, _Voice] = OrderedDict()

    def seconds_wanted(self, identity: str) -> float:
        """Give the seconds of the latest speech to listen to this time; 0 where it can wait."""
        voice = self._voices.pop(identity, None) or _Voice()
        self._voices[identity] = voice
        if len(self._voices) > _SPEAKERS:
            self._voices.popitem(last=False)

        voice.times += 1
        if voice.times == 1:
            return _FIRST_SECONDS

        return _FURTHER_SECONDS if voice.times <= _EAGER_TIMES or not voice.times % _ONE_IN else 0.0

    def add(self, identity: str, pitches: Iterable[float]) -> float | None:
        """Take in what was heard; tells the median once it is enough, and keeps nothing more."""
        voice = self._voices.setdefault(identity, _Voice(times=1))
        voice.pitches.extend(pitches)
        if len(voice.pitches) < ENOUGH:
            return None

        del self._voices[identity]
        return median(voice.pitches)


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_AT_ONCE: Final = 8
"""Voices that may wait for the thread; each takes it some 15 ms, and an answer has its deadline.
A speaker who comes then is asked about again after another second of speech."""


class Tracker(Protocol):
    """Follows the pitch of a sound."""

    def pitches(self, samples: NDArray[np.int16], sample_rate: int) -> list[float]:
        """The pitch of every voiced moment, in hertz."""
        ...


class Hearing:
    """Estimates how high voices are, by what was heard of each so far."""

    def __init__(self, tracker: Tracker, thread: ThreadPoolExecutor) -> None:
        self._tracker = tracker
        self._thread = thread
        self._evidence = Evidence()
        self._waiting = 0
        """Estimates that are under way."""

    async def estimate_pitch(self, speech: Speech) -> float | None:
        """The median pitch of a voice in hertz; None where it takes more speech to tell."""
        if self._waiting >= _AT_ONCE:
            return None

        identity = speech.speaker.identity
        seconds = self._evidence.seconds_wanted(identity)
        if not seconds:
            return None

        samples = speech.samples[-round(seconds * speech.sample_rate) :]
        return self._evidence.add(identity, await self._pitches(samples, speech.sample_rate))

    async def _pitches(self, samples: NDArray[np.int16], sample_rate: int) -> list[float]:
        loop = asyncio.get_running_loop()
        self._waiting += 1
        try:
            return await loop.run_in_executor(
                self._thread, self._tracker.pitches, samples, sample_rate
            )
        finally:
            self._waiting -= 1


@asynccontextmanager
async def open_hearing() -> AsyncGenerator[Hearing]:
    """Load the library, and listen until closed; what is being listened to then is dropped."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="voice-timbre")
    try:
        tracker = await asyncio.get_running_loop().run_in_executor(thread, _load)
        yield Hearing(tracker, thread)
    finally:
        thread.shutdown(wait=False, cancel_futures=True)


def _load() -> Tracker:
    # here and not above: who does not listen need not pay for a library that does
    from palabra_agent_voice_timbre.pitch import PitchTracker

    return PitchTracker()
