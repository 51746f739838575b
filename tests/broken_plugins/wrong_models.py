"""Has models that are none of ours."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel

from palabra_agent.plugin import Plugin, PluginConfig
from tests.good_plugins.voices import Config, Settings, open_voices


class Loose(BaseModel):
    """Would let unknown keys pass."""


opener: Any = open_voices
config = Plugin(cast("type[PluginConfig]", Loose), opener, settings_model=Settings)
an_instance = Plugin(cast("type[PluginConfig]", Config()), opener, settings_model=Settings)
settings = Plugin(Config, opener, settings_model=cast("type[PluginConfig]", dict))
