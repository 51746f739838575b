"""Whose voice is listened to until a plugin knows how it sounds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import Pcm
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.interpretation.voice_sample import VoiceSample
from palabra_agent.voices import Speaker, Timbre


class TimbreSearch:
    """Collects the speech of those whose timbre is wanted, and has it estimated."""

    def __init__(self, plugins: RoomPlugins) -> None:
        self._plugins = plugins
        self._samples: dict[str, VoiceSample] = {}
        """Of everybody who is listened to; speech is dropped as soon as it is of no use."""
        self._under_way: set[str] = set()
        """Whose timbre is being estimated."""
        self._is_ready = asyncio.Event()
        """Set where somebody may have been heard for long enough."""

    def follow(self, unknown: Collection[str]) -> None:
        """Listen to these from now on, and to nobody else."""
        self._samples = {who: self._samples.get(who) or VoiceSample() for who in unknown}

    def hear(self, identity: str, frame: Frame) -> None:
        """Take in a frame; free of cost unless the voice is listened to."""
        sample = self._samples.get(identity)
        if sample is None:
            return

        sample.hear(frame)
        if sample.is_enough and identity not in self._under_way:
            self._is_ready.set()

    async def run(
        self, speaker_of: Callable[[str], Speaker], on_timbre: Callable[[str, Timbre], None]
    ) -> None:
        """Have everybody's timbre estimated who was heard for long enough, until cancelled.

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
