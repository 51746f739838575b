"""Has a config model that gives something else than itself, and one whose configs break."""

from __future__ import annotations

from typing import Any, Self, cast

from pydantic import ModelWrapValidatorHandler, model_validator

from palabra_agent.plugin import Plugin, PluginConfig
from tests.good_plugins.voices import open_voices


class Coat(PluginConfig):
    """Turns into a list."""

    @model_validator(mode="wrap")
    @classmethod
    def _turn(cls, value: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        return cast("Self", [validate(value)])


class Proud(PluginConfig):
    """Is like nothing else."""

    number: int = 0

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("do not compare me")

    __hash__ = None  # type: ignore[assignment]


opener: Any = open_voices
plugin = Plugin(Coat, opener)
proud = Plugin(Proud, opener)
