"""Has a config that no JSON Schema can describe, and an example that it refuses itself."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from palabra_agent.plugin import Plugin, PluginConfig
from tests.good_plugins.voices import Config, open_voices


class Shape:
    """Something of its own."""


class Shapely(PluginConfig):
    """Takes only that."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    shape: Shape | None = None


opener: Any = open_voices
plugin = Plugin(Shapely, opener)
wrong_example = Plugin(Config, opener, example={"vioce": "x"})
