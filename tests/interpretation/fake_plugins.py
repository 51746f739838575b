"""A room's plugins as interpretation sees them, which answer as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from palabra_agent.audio.pcm import Pcm
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.session import Transcript
from palabra_agent.voices import FixedVoice, Speaker, Timbre, VoiceChoice

PLUGIN = "fake"
POOL = tuple(f"voice-{number}" for number in range(40))


def deal(request: VoiceRequest) -> VoiceChoice | None:
    """Give everybody a voice of their own, remembering nothing."""
    if isinstance(request.current, FixedVoice):
        return request.current

    free = (it for it in POOL if it not in request.taken | request.unavailable)
    return FixedVoice(next(free))


class FakePlugins:
    """Plugins that implement the whole port."""

    room = "board"

    def __init__(
        self, choose: Callable[[VoiceRequest], VoiceChoice | None] = deal, seconds: float = 0.0
    ) -> None:
        self.choose = choose
        self.seconds = seconds
        """How long an answer takes."""
        self.hang_seconds = 0.0
        """How much longer the next takes, and no other."""
        self.choose_voices = True
        self.estimate_timbres = False
        self.timbre: Timbre | None = Timbre(120.0)
        """What every estimate says."""
        self.announced: tuple[str, ...] = ()
        self.asked: list[VoiceRequest] = []
        self.asked_at: list[float] = []
        self.heard: list[tuple[Speaker, Pcm]] = []
        self.told: list[tuple[Speaker, Transcript]] = []

    async def choose_voice(self, request: VoiceRequest) -> Verdict:
        """Answer by what the request says, after some time."""
        self.asked.append(request)
        self.asked_at.append(asyncio.get_running_loop().time())
        seconds, self.hang_seconds = self.seconds + self.hang_seconds, 0.0
        choice = self.choose(request)
        if seconds:
            await asyncio.sleep(seconds)

        return Verdict(choice, PLUGIN) if choice else Verdict(passed=((PLUGIN, "no wish"),))

    async def estimate_timbre(self, speaker: Speaker, samples: Pcm) -> Timbre | None:
        """Listen for some time, and say what the test says."""
        self.heard.append((speaker, samples))
        if self.seconds:
            await asyncio.sleep(self.seconds)

        return self.timbre

    def tell(self, speaker: Speaker, transcript: Transcript) -> None:
        """Take note."""
        self.told.append((speaker, transcript))


def no_plugins() -> FakePlugins:
    """Make the plugins of a room that has none."""
    plugins = FakePlugins()
    plugins.choose_voices = False
    return plugins
