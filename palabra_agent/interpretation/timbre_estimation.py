"""Speech of speakers whose timbre is not known yet, collected and given to plugins to estimate."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

import numpy as np

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.voices import Speaker, Timbre

_FIRST_SECONDS: Final = 2.0
"""So much speech may tell the timbre of a voice."""

_FURTHER_SECONDS: Final = 1.0
"""So much more is worth another try."""

_KEPT_SECONDS: Final = 5.0
"""Nothing older is kept."""


class VoiceSample:
    """The last few seconds of one speaker's speech, pauses left out."""

    def __init__(self) -> None:
        self._pieces: deque[Pcm] = deque()
        self._kept = 0
        """Samples in these pieces."""
        self._heard = 0
        """Samples of speech so far."""
        self._enough = round(_FIRST_SECONDS * SAMPLE_RATE)
        """Samples of speech that are worth the next try."""

    @property
    def is_enough(self) -> bool:
        """True once enough was heard since it was last taken."""
        return self._heard >= self._enough

    def hear(self, frame: Frame) -> None:
        """Listen to a frame, whose samples are kept as they are unless it is a pause."""
        if frame.is_pause:
            return

        longest = round(_KEPT_SECONDS * SAMPLE_RATE)
        self._heard += frame.samples.size
        piece = frame.samples[-longest:]
        self._pieces.append(piece)
        self._kept += piece.size
        while self._kept > longest:
            self._kept -= self._pieces.popleft().size

    def take(self) -> Pcm:
        """Get what there is, read-only; not enough any more until more was heard."""
        self._enough = self._heard + round(_FURTHER_SECONDS * SAMPLE_RATE)
        speech = np.concatenate([np.empty(0, np.int16), *self._pieces])
        speech.flags.writeable = False
        return speech


class TimbreEstimation:
    """Collects speech of some speakers, and has their timbre estimated when there is enough."""

    def __init__(self, plugins: RoomPlugins) -> None:
        self._plugins = plugins
        self._samples: dict[str, VoiceSample] = {}
        """By speaker; speech is dropped as soon as it is of no use."""
        self._under_way: set[str] = set()
        """Speakers whose timbre is being estimated."""
        self._is_ready = asyncio.Event()
        """Set where a speaker may have been heard for long enough."""

    def follow(self, speakers: Collection[str]) -> None:
        """Listen to these speakers from now on, and to no others."""
        self._samples = {who: self._samples.get(who) or VoiceSample() for who in speakers}

    def hear(self, identity: str, frame: Frame) -> None:
        """Take in a frame; free of cost unless the speaker is listened to."""
        sample = self._samples.get(identity)
        if sample is None:
            return

        sample.hear(frame)
        if sample.is_enough and identity not in self._under_way:
            self._is_ready.set()

    async def run(
        self, speaker_of: Callable[[str], Speaker], on_timbre: Callable[[str, Timbre], None]
    ) -> None:
        """Have the timbre of each speaker estimated who was heard for long enough, for ever.

        Args:
            speaker_of: Tells what is known of a speaker.
            on_timbre: Told each estimate; the speaker may have left by then.
        """

        async def estimate(identity: str, speech: Pcm) -> None:
            timbre = await self._plugins.estimate_timbre(speaker_of(identity), speech)
            self._under_way.remove(identity)
            if timbre is None:
                self._is_ready.set()
            else:
                self._samples.pop(identity, None)
                on_timbre(identity, timbre)

        async with asyncio.TaskGroup() as group:
            while True:
                await self._is_ready.wait()
                self._is_ready.clear()
                for identity, sample in self._samples.items():
                    if sample.is_enough and identity not in self._under_way:
                        self._under_way.add(identity)
                        group.create_task(estimate(identity, sample.take()), name="timbre")
