"""A transcript listener that cannot do without its operator's word, and is strict about types."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date

from pydantic import ConfigDict, SecretStr

from palabra_agent.plugin import (
    Plugin,
    PluginConfig,
    RoomInfo,
    TranscriptEvent,
    TranscriptListener,
)


class Config(PluginConfig):
    """What to write down."""

    model_config = ConfigDict(strict=True)

    days: tuple[date, ...] = ()


class Settings(PluginConfig):
    """Where to write it."""

    folder: str
    password: SecretStr


class Diary(TranscriptListener):
    """Writes nothing, in truth."""

    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Take no note of it."""


@asynccontextmanager
async def open_diary(room: RoomInfo[Settings], config: Config) -> AsyncGenerator[Diary]:
    """Open it for a room."""
    yield Diary()


plugin = Plugin(Config, open_diary, settings_model=Settings, example={"days": ["2026-01-31"]})
