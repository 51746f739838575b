"""Has a config model that gives something else than itself: a validator forgets to return it."""

from __future__ import annotations

from typing import Any, Self, cast

from pydantic import model_validator

from palabra_agent.plugin import Plugin, PluginConfig
from tests.good_plugins.voices import open_voices


class Forgetful(PluginConfig):
    """Turns into nothing."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        return cast("Self", None)


opener: Any = open_voices
plugin = Plugin(Forgetful, opener)
