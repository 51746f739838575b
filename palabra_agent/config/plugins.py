"""Plugins in a room config: the entries of its list, their checks, and their JSON Schema.

The checks ask `PluginKnowledge`, which the host of the plugins gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final, Protocol, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from palabra_agent.config.fields import ConfigModel, Name, Refusal, refusal, refuse_all
from palabra_agent.config.problems import problems_of
from palabra_agent.config.wording import Path, path_text, shown
from palabra_agent.errors import Problem

MAX_PLUGINS: Final = 20
"""The most that a room may name: all of them are asked one after the other."""

_KNOWLEDGE: Final = "plugins"
_MISPLACED: Final = "is a plugin; name it under `plugins`"


class PluginUse(ConfigModel):
    """One plugin and its own configuration."""

    of_strays: ClassVar[str] = "what the plugin itself is told belongs in `config`"

    name: Name
    """The name of its entry point; `palabra-agent plugins` lists those that are installed."""
    config: dict[str, JsonValue] = Field(default={})
    """The plugin's own config, checked by its own model."""

    @model_validator(mode="after")
    def _as_the_plugin_wants(self, info: ValidationInfo) -> Self:
        plugins = _knowledge(info)
        if plugins is not None:
            found = plugins.mistakes(self)
            refuse_all([(path, refusal(reason)) for path, reason in found])
        return self


class PluginKnowledge(Protocol):
    """The plugins that are installed, as far as a check of a room config asks for them."""

    def mistakes(self, use: PluginUse) -> Sequence[tuple[Path, str]]:
        """The mistakes in one entry, with paths below it such as `("config", "high", "es")`."""
        ...

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Tell whether two good entries say the same, one perhaps by leaving out a default."""
        ...

    def is_installed(self, name: str) -> bool:
        """Tell whether there is a plugin of this name."""
        ...

    def settings_problems(self) -> Sequence[Problem]:
        """The mistakes in what the worker's own settings say of plugins."""
        ...


def context_of(plugins: PluginKnowledge | None) -> dict[str, PluginKnowledge | None]:
    """The validation context in which plugins are checked, or only their shape."""
    return {_KNOWLEDGE: plugins}


def problems_with(
    error: ValidationError,
    model: type[BaseModel],
    plugins: PluginKnowledge | None,
    prefix: Path = (),
) -> list[Problem]:
    """Every mistake in a config that names plugins; a plugin's name used as a key is misplaced."""
    misplaced: set[str] = set()
    if plugins is not None:
        places = (it["loc"] for it in error.errors() if it["type"] == "extra_forbidden")
        misplaced = {
            path_text((*prefix, *place))
            for place in places
            if len(place) == 1 and plugins.is_installed(str(place[0]))
        }
    return [
        replace(it, reason=_MISPLACED) if it.path in misplaced else it
        for it in problems_of(error, model, prefix)
    ]


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
    mistakes: list[Refusal] = []
    for index, use in enumerate(uses):
        earlier = (other for other in uses[:index] if other.name == use.name)
        if any(use == it or (plugins and plugins.are_same(use, it)) for it in earlier):
            words = f"{shown(use.name)} is named twice with the same config"
            mistakes.append(((index,), refusal(words)))
    refuse_all(mistakes)
    return uses


PluginUses = Annotated[
    tuple[PluginUse, ...], BeforeValidator(_not_too_many), AfterValidator(_distinct)
]
"""Plugins in the order of asking; one may stand there several times, told different things."""


Schema: TypeAlias = dict[str, Any]
"""A JSON Schema, or a part of one."""

_DEFINITIONS: Final = "$defs"


@dataclass(frozen=True, slots=True)
class PluginSchema:
    """The JSON Schema of a plugin's config, and an example of one."""

    name: str
    config: Mapping[str, Any]
    """JSON Schema of its config; what it refers to stands in its own `$defs`."""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A good config; empty where the plugin shows none."""

    @property
    def use(self) -> Schema:
        """The example as an entry of a room's list."""
        return {"name": self.name, "config": dict(self.example)}


def reference_template(plugin: str) -> str:
    """The place of a plugin's definitions in the whole; two plugins may call one alike."""
    return f"#/{_DEFINITIONS}/{_key(plugin)}:{{model}}"


def definitions_with(room: Schema, plugins: Sequence[PluginSchema]) -> Schema:
    """The definitions of a room config's schema, with what each installed plugin may be told."""
    definitions = dict(room)
    for plugin in plugins:
        inner: Schema = dict(plugin.config)
        for model, definition in inner.pop(_DEFINITIONS, {}).items():
            definitions[f"{_key(plugin.name)}:{model}"] = definition
        definitions[_key(plugin.name)] = inner

    use: Schema = room[PluginUse.__name__]
    name: Schema = {**use["properties"]["name"], "anyOf": [_called(each) for each in plugins]}
    definitions[PluginUse.__name__] = {
        **use,
        "properties": {**use["properties"], "name": name},
        "allOf": [_if_called(plugin) for plugin in plugins],
        "examples": [plugin.use for plugin in plugins if plugin.example],
    }
    return definitions


def _key(plugin: str) -> str:
    """Make the key of a plugin's schema; no other model has it, as a plugin's name has no colon."""
    return f"plugin:{plugin}"


def _called(plugin: PluginSchema) -> Schema:
    description = plugin.config.get("description")
    return {"const": plugin.name} | ({"description": description} if description else {})


def _if_called(plugin: PluginSchema) -> Schema:
    then: Schema = {"properties": {"config": {"$ref": f"#/{_DEFINITIONS}/{_key(plugin.name)}"}}}
    if plugin.config.get("required"):
        then["required"] = ["config"]
    return {
        "if": {"properties": {"name": {"const": plugin.name}}, "required": ["name"]},
        "then": then,
    }
