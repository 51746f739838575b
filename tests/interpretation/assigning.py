"""A voice assigner at work, for tests to see which speaker gets which voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from palabra_agent.capabilities.voice import VoiceRequest
from palabra_agent.interpretation.voice_assigner import VoiceAssigner
from palabra_agent.interpretation.voice_assignments import InterpretedSpeaker
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import ClonedVoice, FixedVoice, Speaker, VoiceChoice
from tests.clock import eventually, passing
from tests.fakes import frame
from tests.interpretation.fake_plugins import FakePlugins

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
A, B = FixedVoice("a"), FixedVoice("b")
AGAIN = 0.5
"""Seconds between two questions about a speaker who has voices."""
VOICE = "palabra.voice"
"""The attribute by which people ask for a voice."""


def by_attribute(request: VoiceRequest) -> VoiceChoice | None:
    """Give people the voice that they ask for, as long as it is there."""
    wish = request.speaker.attributes.get(VOICE)
    if wish is None or wish in request.unavailable:
        return None

    return ClonedVoice() if wish == "clone" else FixedVoice(wish)


def interpreted(
    identity: str,
    *targets: LanguageCode,
    voice: str | None = None,
    source_language: LanguageCode | None = None,
) -> InterpretedSpeaker:
    """Make somebody who is interpreted, into Spanish unless said otherwise."""
    speaker = Speaker(
        identity=identity,
        name=identity.title(),
        attributes={VOICE: voice} if voice else {},
        source_language=source_language,
    )
    return InterpretedSpeaker(speaker, targets or (ES,))


@dataclass
class AssigningScene:
    """A room's voice assigner at work."""

    assigner: VoiceAssigner
    plugins: FakePlugins
    speakers: list[InterpretedSpeaker] = field(default_factory=list[InterpretedSpeaker])
    revision: int = 0
    changes: list[float] = field(default_factory=list[float])
    """When it told that something came of asking."""

    def follow(self, *speakers: InterpretedSpeaker) -> None:
        """Have these interpreted, and nobody else."""
        self.speakers = list(speakers)
        self.assigner.follow(self.speakers, self.revision)

    def voice_of(self, identity: str, language: LanguageCode = ES) -> VoiceChoice | None:
        """Somebody's voice; fails where it is not decided."""
        voices = self.assigner.voices_of(identity, (language,))
        assert voices is not None, "not decided"
        return voices.get(language)

    def is_decided(self, *identities: str) -> bool:
        """Whether these have all their voices."""
        targets = {it.speaker.identity: it.targets for it in self.speakers}
        return all(
            self.assigner.voices_of(who, targets[who]) is not None for who in identities or targets
        )

    async def decided(self) -> None:
        """Wait until everybody has their voices and nobody is asked any more."""
        await eventually(self.is_decided)
        await passing(3 * AGAIN)

    def asked_of(self, identity: str) -> list[VoiceRequest]:
        """The requests on somebody."""
        return [it for it in self.plugins.asked if it.speaker.identity == identity]

    def forget(self) -> None:
        """Take note of requests from now on only."""
        self.plugins.asked.clear()
        self.plugins.asked_at.clear()


@asynccontextmanager
async def assigning(plugins: FakePlugins | None = None) -> AsyncGenerator[AssigningScene]:
    """Assign voices for the length of a block."""
    plugins = plugins or FakePlugins()
    scene = AssigningScene(VoiceAssigner(plugins), plugins)
    now = asyncio.get_running_loop().time
    async with asyncio.TaskGroup() as group:
        running = group.create_task(
            scene.assigner.run(lambda: scene.changes.append(now())), name="assign voices"
        )
        try:
            yield scene
        finally:
            running.cancel()


def hear(assigner: VoiceAssigner, identity: str, seconds: float) -> None:
    """Have somebody's speech heard."""
    for _ in range(round(seconds * 50)):
        assigner.hear(identity, frame(8000))
