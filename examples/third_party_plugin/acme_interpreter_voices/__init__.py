"""Acme Television's house voices: a presenter has one voice in each language, guests another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase

from pydantic import Field

from palabra_agent.plugin import (
    FixedVoice,
    Passed,
    Plugin,
    PluginConfig,
    RoomInfo,
    Speaker,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
    match,
    normalise,
)

ROLE_ATTRIBUTE = "acme.role"
"""Set by Acme's studio software, in the token of each participant."""


class HouseVoices(PluginConfig):
    """The voices of the house in one language."""

    presenter: str = Field(min_length=1, max_length=256)
    """Id of the voice that only presenters have."""
    guest: str = Field(min_length=1, max_length=256)
    """Id of the voice for all others."""


class HouseVoicesConfig(PluginConfig):
    """What a programme says of its voices."""

    voices: dict[str, HouseVoices] = Field(min_length=1)
    """By language; `es` holds for every Spanish that has no entry of its own."""
    presenters: tuple[str, ...] = ()
    """Identities, or patterns such as `host-*`, of presenters whose tokens do not say so."""


class HousePolicy(VoicePolicy):
    """Chooses between a language's two voices."""

    def __init__(self, config: HouseVoicesConfig) -> None:
        self._presenters = config.presenters
        self._voices = {normalise(code): voices for code, voices in config.voices.items()}

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose by role; pass where the house has no voices in the language."""
        language = match(request.target_language, self._voices)
        if language is None:
            return Passed(f"the house has no voices in {request.target_language}")

        voices = self._voices[language]
        is_presenter = self._is_presenter(request.speaker)
        return FixedVoice(voices.presenter if is_presenter else voices.guest)

    def _is_presenter(self, speaker: Speaker) -> bool:
        return speaker.attributes.get(ROLE_ATTRIBUTE) == "presenter" or any(
            fnmatchcase(speaker.identity, pattern) for pattern in self._presenters
        )


@asynccontextmanager
async def open_house_voices(
    room: RoomInfo, config: HouseVoicesConfig
) -> AsyncGenerator[HousePolicy]:
    """Open the policy for a room; it needs nothing that would have to be closed."""
    yield HousePolicy(config)


plugin = Plugin(
    HouseVoicesConfig,
    open_house_voices,
    example={
        "voices": {"es": {"presenter": "default_high", "guest": "default_low"}},
        "presenters": ["host-*"],
    },
)
