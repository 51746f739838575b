"""The next version of `voices`: one key has another name, one is new and required."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from palabra_agent.plugin import Plugin, PluginConfig, RoomInfo, VoicePolicy
from tests.good_plugins import voices


class Config(PluginConfig):
    """Which voices there are, said otherwise."""

    voice_id: str = "default_high"
    fallback: str


@asynccontextmanager
async def open_voices(room: RoomInfo, config: Config) -> AsyncGenerator[VoicePolicy]:
    """Open it for a room."""
    yield voices.Voices(voices.Config(voice=config.voice_id))


plugin = Plugin(Config, open_voices)
