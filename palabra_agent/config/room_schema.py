"""What the JSON Schema of the room config says beside its keys: plugins, and an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from palabra_agent.config.layers import SCHEMA_KEY

DEFINITIONS: Final = "$defs"
_USE: Final = "PluginUse"

Schema: TypeAlias = dict[str, Any]

_FOR_EDITORS: Final[Mapping[str, Any]] = {
    "type": "string",
    "description": "By what an editor checks this; ignored.",
}

_EXAMPLE: Final[Mapping[str, Any]] = {
    "languages": ["es", "de"],
    "default_listen": "es",
    "speakers": {"alice": {"source_language": "en"}, "recorder-*": {"interpret": False}},
    "captions": {"partials": True},
    "chat": {"audience": "language"},
    "organisers": ["olga"],
    "palabra": {
        "transcription": {"segment_confirmation_silence_threshold": 0.6},
        "translations": {"default": {"translate_partial_transcriptions": True}},
    },
    "limits": {"max_minutes": 90},
}
"""A whole config as somebody might write it."""


@dataclass(frozen=True, slots=True)
class PluginSchema:
    """What a plugin may be told."""

    name: str
    config: Mapping[str, Any]
    """JSON Schema of its config; what it refers to stands in its own `$defs`."""
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A good config; empty where the plugin shows none."""

    @property
    def use(self) -> Schema:
        """The example as an entry of a room's list."""
        return {"name": self.name, "config": dict(self.example)}


def complete_schema(room: Schema, plugins: Sequence[PluginSchema]) -> Schema:
    """Add to the schema of a room config which plugins are installed, and an example."""
    uses = [plugin.use for plugin in plugins if plugin.example]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **room,
        "properties": {SCHEMA_KEY: _FOR_EDITORS, **room["properties"]},
        "examples": [{**_EXAMPLE, "plugins": uses} if uses else dict(_EXAMPLE)],
    }
    if plugins:
        whole[DEFINITIONS] = _definitions(room[DEFINITIONS], plugins)
    return whole


def reference_template(plugin: str) -> str:
    """Where a plugin's definitions stand in the whole; two plugins may call one alike."""
    return f"#/{DEFINITIONS}/{_key(plugin)}:{{model}}"


def _definitions(room: Schema, plugins: Sequence[PluginSchema]) -> Schema:
    definitions = dict(room)
    for plugin in plugins:
        inner: Schema = dict(plugin.config)
        for model, definition in inner.pop(DEFINITIONS, {}).items():
            definitions[f"{_key(plugin.name)}:{model}"] = definition
        definitions[_key(plugin.name)] = inner

    use: Schema = room[_USE]
    name: Schema = {**use["properties"]["name"], "anyOf": [_called(each) for each in plugins]}
    definitions[_USE] = {
        **use,
        "properties": {**use["properties"], "name": name},
        "allOf": [_if_called(plugin) for plugin in plugins],
        "examples": [plugin.use for plugin in plugins if plugin.example],
    }
    return definitions


def _key(plugin: str) -> str:
    """No model of ours, or of another plugin, is called so: a plugin's name has no colon."""
    return f"plugin:{plugin}"


def _called(plugin: PluginSchema) -> Schema:
    description = plugin.config.get("description")
    return {"const": plugin.name} | ({"description": description} if description else {})


def _if_called(plugin: PluginSchema) -> Schema:
    then: Schema = {"properties": {"config": {"$ref": f"#/{DEFINITIONS}/{_key(plugin.name)}"}}}
    if plugin.config.get("required"):
        then["required"] = ["config"]
    return {
        "if": {"properties": {"name": {"const": plugin.name}}, "required": ["name"]},
        "then": then,
    }
