"""Listening beside the event loop: one thread for a room, so that many voices take one core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Protocol

from palabra_agent.plugin import Speech
from palabra_agent_voice_timbre.evidence import Evidence

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_AT_ONCE: Final = 8
"""Voices that may wait for the thread; each takes it some 15 ms, and an answer has its deadline.
Whoever comes then is asked about again after another second of speech."""


class Tracker(Protocol):
    """Whoever follows the pitch of a sound."""

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
