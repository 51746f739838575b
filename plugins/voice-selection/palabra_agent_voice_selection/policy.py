"""The voice policy: the first rule that applies and can give its voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from palabra_agent.plugin import (
    ClonedVoice,
    FixedVoice,
    NoSettings,
    Passed,
    RoomInfo,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent_voice_selection.assigning import PoolVoices
from palabra_agent_voice_selection.config import VOICE_ATTRIBUTE, SelectionConfig
from palabra_agent_voice_selection.fields import fits
from palabra_agent_voice_selection.wanted import (
    CLONE,
    AskedFor,
    PerLanguage,
    Pool,
    WantedVoice,
)

_REASONS_TOLD: Final = 2
_NOT_AGREED: Final = "the speaker has not agreed to be cloned"


class SelectionPolicy(VoicePolicy):
    """Chooses voices by the rules of one room."""

    def __init__(self, config: SelectionConfig) -> None:
        self._rules = config.rules
        self._pools = PoolVoices()

    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose by the first rule that can give its voice; else say why each could not."""
        reasons: list[str] = []
        is_private = False
        for position, rule in enumerate(self._rules):
            if not rule.applies(request):
                continue

            found = self._find(rule.voice, request)
            if not isinstance(found, str):
                return found

            reasons.append(f"rules[{position}]: {found}")
            is_private = is_private or found == _NOT_AGREED

        return Passed(_told(reasons), is_private=is_private)

    def _find(self, wanted: WantedVoice, request: VoiceRequest) -> FixedVoice | ClonedVoice | str:
        """Give the voice that is wanted, or the reason why it cannot be had."""
        voice = _without_asking(wanted, request)
        match voice:
            case str():
                return voice
            case Pool(pool=pool):
                return self._pools.give(pool, request) or "no voice of the pool is available"
            case FixedVoice(voice_id) if voice_id in request.unavailable:
                return "Palabra does not have the voice"
            case FixedVoice():
                return voice
            case ClonedVoice():
                return voice if request.speaker.agrees_to_cloning else _NOT_AGREED


def _without_asking(
    wanted: WantedVoice, request: VoiceRequest
) -> FixedVoice | ClonedVoice | Pool | str:
    """Give what is wanted in this language, a speaker's own wish looked up."""
    voice = wanted.voice_in(request.target_language) if isinstance(wanted, PerLanguage) else wanted
    match voice:
        case None:
            return "it has no voice for this language"
        case AskedFor(attribute=allowed):
            return _asked_for(request.speaker.attributes.get(VOICE_ATTRIBUTE, ""), allowed)
        case _:
            return voice


def _asked_for(value: str, allowed: tuple[str, ...]) -> FixedVoice | ClonedVoice | str:
    """Give what a participant asks for, where the room allows it; guests may write anything."""
    voice = value.strip()
    if not voice:
        return "the speaker asks for no voice"

    if voice.casefold() == CLONE:
        return (
            ClonedVoice()
            if CLONE in allowed
            else "the speaker asks to be cloned, which the rule does not allow"
        )

    if not fits(allowed, voice):
        return "the speaker asks for a voice that the rule does not allow"

    try:
        return FixedVoice(voice)
    except ValueError:
        return "the speaker asks for what cannot be a voice id"


def _told(reasons: list[str]) -> str:
    if not reasons:
        return "no rule applies"

    more = len(reasons) - _REASONS_TOLD
    rest = [f"and {more} more rules"] if more > 0 else []
    return "; ".join([*reasons[:_REASONS_TOLD], *rest])


@asynccontextmanager
async def open_selection(
    _room: RoomInfo[NoSettings], config: SelectionConfig
) -> AsyncGenerator[SelectionPolicy]:
    """Open the policy for a room; there is nothing to close."""
    yield SelectionPolicy(config)
