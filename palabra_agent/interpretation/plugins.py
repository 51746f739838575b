"""The plugins of a room as its interpretation asks them: a port; `plugins_host/` implements it.

Whatever a plugin does, nothing here raises, and nothing takes longer than its deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from palabra_agent.audio.pcm import Pcm
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.session import Transcript
from palabra_agent.voices import Speaker, Timbre


class RoomPlugins(Protocol):
    """The plugins of one room, in the order of asking."""

    @property
    def room(self) -> str:
        """The room's name."""
        ...

    @property
    def choose_voices(self) -> bool:
        """True where one of them chooses voices; if none does, no question is needed."""
        ...

    @property
    def estimate_timbres(self) -> bool:
        """True where one of them wants to hear speakers."""
        ...

    @property
    def announced(self) -> Sequence[str]:
        """Sentences that people are told while the plugins that say them are open."""
        ...

    async def choose_voice(self, request: VoiceRequest) -> Verdict:
        """Ask one after the other until one chooses a voice that Palabra may have."""
        ...

    async def estimate_timbre(self, speaker: Speaker, samples: Pcm) -> Timbre | None:
        """Ask one after the other until one knows how a voice sounds, from some of its speech."""
        ...

    def tell(self, speaker: Speaker, transcript: Transcript) -> None:
        """Tell those who listen what was said; never waits."""
        ...
