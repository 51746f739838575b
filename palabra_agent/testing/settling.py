"""The plugins of a test's room, and the moment when no more questions to them are to come."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from palabra_agent.audio.pcm import Pcm
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.interpretation.plugins import RoomPlugins
from palabra_agent.session import Transcript
from palabra_agent.voices import Speaker, Timbre

_AT_ONCE_SECONDS: Final = 0.01
_QUIET_SECONDS: Final = 0.6
"""A question that a change brings is asked by then."""


class SettlingPlugins:
    """Passes questions on to the plugins of a room, and notes when they are under way."""

    def __init__(self, plugins: RoomPlugins) -> None:
        self._plugins = plugins
        self._under_way = 0
        self._last = -math.inf
        self._answered = asyncio.Event()
        self.timbres: dict[str, Timbre] = {}
        """The last estimate of each voice, by identity."""
        self._now = asyncio.get_running_loop().time

    @property
    def room(self) -> str:
        """The room's name."""
        return self._plugins.room

    @property
    def choose_voices(self) -> bool:
        """True where one of them chooses voices."""
        return self._plugins.choose_voices

    @property
    def estimate_timbres(self) -> bool:
        """True where one of them wants to hear speakers."""
        return self._plugins.estimate_timbres

    @property
    def announced(self) -> Sequence[str]:
        """Sentences that people are told while these plugins are open."""
        return self._plugins.announced

    async def choose_voice(self, request: VoiceRequest) -> Verdict:
        """Ask for a voice."""
        with self._question():
            return await self._plugins.choose_voice(request)

    async def estimate_timbre(self, speaker: Speaker, samples: Pcm) -> Timbre | None:
        """Ask for a timbre."""
        with self._question():
            timbre = await self._plugins.estimate_timbre(speaker, samples)

        if timbre is not None:
            self.timbres[speaker.identity] = timbre

        return timbre

    def tell(self, speaker: Speaker, transcript: Transcript) -> None:
        """Tell what was said."""
        self._plugins.tell(speaker, transcript)

    def stir(self) -> None:
        """Note a change, about which they may be asked."""
        self._last = self._now()

    async def answer(self) -> None:
        """Wait until what they are asked at once has been answered."""
        await asyncio.sleep(_AT_ONCE_SECONDS)
        while self._under_way:
            self._answered.clear()
            await self._answered.wait()

    async def rest(self) -> None:
        """Wait until nothing more is to be asked."""
        while self._now() < self._last + _QUIET_SECONDS:
            await asyncio.sleep(self._last + _QUIET_SECONDS - self._now())
            await self.answer()

    @contextmanager
    def _question(self) -> Generator[None]:
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self.stir()
            self._answered.set()
