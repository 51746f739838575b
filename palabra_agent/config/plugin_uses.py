"""The plugins that a room config names: their shape, and the door to those who know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Protocol, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationInfo,
    model_validator,
)

from palabra_agent.config.fields import ConfigModel, Mistake, Name, refusal, refuse_all
from palabra_agent.config.wording import Path, shown
from palabra_agent.errors import Problem

MAX_PLUGINS: Final = 20
"""How many a room may name: all of them are asked one after the other."""

_KNOWLEDGE: Final = "plugins"


class PluginUse(ConfigModel):
    """One plugin and its own configuration."""

    name: Name
    """The name of its entry point; `palabra-agent plugins` lists those that are installed."""
    config: dict[str, JsonValue] = Field(default={})
    """What the plugin itself wants to be told."""

    @model_validator(mode="after")
    def _as_the_plugin_wants(self, info: ValidationInfo) -> Self:
        plugins = _knowledge(info)
        if plugins is not None:
            found = plugins.mistakes(self)
            refuse_all([(path, refusal(reason)) for path, reason in found])
        return self


class PluginKnowledge(Protocol):
    """Who knows the plugins that are installed, and what each of them wants to be told."""

    def mistakes(self, use: PluginUse) -> Sequence[tuple[Path, str]]:
        """What is wrong with one entry, with paths below it such as `("config", "high", "es")`."""
        ...

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Whether two good entries say the same, one perhaps by leaving out a default."""
        ...

    def settings_problems(self) -> Sequence[Problem]:
        """What is wrong with what the worker's own settings say of plugins."""
        ...


def context_of(plugins: PluginKnowledge | None) -> dict[str, PluginKnowledge | None]:
    """The validation context in which plugins are checked, or only their shape."""
    return {_KNOWLEDGE: plugins}


def _knowledge(info: ValidationInfo) -> PluginKnowledge | None:
    known: PluginKnowledge | None = (info.context or {}).get(_KNOWLEDGE)
    return known


def _not_too_many(value: object) -> object:
    """Refuse a list that is too long before any plugin is asked about it."""
    if isinstance(value, list | tuple) and len(value) > MAX_PLUGINS:
        raise refusal(f"{len(value)} plugins are more than the {MAX_PLUGINS} that a room may have")
    return value


def _distinct(uses: tuple[PluginUse, ...], info: ValidationInfo) -> tuple[PluginUse, ...]:
    plugins = _knowledge(info)
    mistakes: list[Mistake] = []
    for index, use in enumerate(uses):
        earlier = (other for other in uses[:index] if other.name == use.name)
        if any(use == it or (plugins and plugins.are_same(use, it)) for it in earlier):
            words = f"{shown(use.name)} is named twice with the same settings"
            mistakes.append(((index,), refusal(words)))
    refuse_all(mistakes)
    return uses


PluginUses = Annotated[
    tuple[PluginUse, ...], BeforeValidator(_not_too_many), AfterValidator(_distinct)
]
"""Plugins in the order of asking; one may stand there several times, told different things."""
