"""Never ends to read its config or its settings, where they ask it to."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from palabra_agent.plugin import Plugin, PluginConfig
from tests.broken_plugins.latch import never
from tests.good_plugins.voices import open_voices


class Config(PluginConfig):
    """Thinks about numbers below zero."""

    number: int = 0

    @field_validator("number")
    @classmethod
    def _think(cls, number: int) -> int:
        if number < 0:
            never.wait()
        return number


opener: Any = open_voices
plugin = Plugin(Config, opener, settings_model=Config)
