"""How the tests of voice-selection ask: a policy as a room opens it, and questions to it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from palabra_agent_voice_selection import SelectionConfig, SelectionPolicy, plugin

from palabra_agent.plugin import (
    FixedVoice,
    NoSettings,
    Passed,
    RoomInfo,
    VoiceAnswer,
    VoiceChoice,
    VoiceRequest,
)
from palabra_agent.testing import a_speaker, voice_request
from tests.problems import mistakes_in_room

Rules: TypeAlias = Sequence[Mapping[str, object]]


def read(config: Mapping[str, object]) -> SelectionConfig:
    """Read a config as the host does: from JSON."""
    return plugin.config_model.model_validate_json(json.dumps(config))


@asynccontextmanager
async def opened(rules: Rules) -> AsyncGenerator[SelectionPolicy]:
    """Open the plugin for a room with these rules."""
    config = read({"rules": list(rules)})
    async with plugin.open(RoomInfo("board", NoSettings()), config) as policy:
        assert isinstance(policy, SelectionPolicy)
        yield policy


def question(
    identity: str = "alice",
    target: str = "es",
    *,
    name: str = "",
    source: str | None = "en",
    attributes: Mapping[str, str] | None = None,
    current: VoiceChoice | None = None,
    others: Mapping[str, VoiceChoice] | None = None,
    unavailable: Sequence[str] = (),
) -> VoiceRequest:
    """Ask for a speaker's voice; `others` have theirs in the same language."""
    speaker = a_speaker(identity, name=name or None, attributes=attributes, source_language=source)
    voices = {who: {target: voice} for who, voice in (others or {}).items()}
    return voice_request(
        speaker, target, current=current, others=voices, unavailable=unavailable, room="board"
    )


def told(answer: VoiceAnswer) -> str:
    """A voice's id, or the reason for none."""
    match answer:
        case FixedVoice(voice_id):
            return voice_id
        case Passed(reason):
            return reason
        case _:
            return type(answer).__name__


async def mistakes(config: Mapping[str, object]) -> list[str]:
    """List what is wrong with a config, as a room shows it."""
    return await mistakes_in_room(plugin, config)
