"""Plugins in a room config: the shape of an entry, and what is asked of those who know them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from palabra_agent.config.fields import ConfigModel
from palabra_agent.config.plugins import (
    MAX_PLUGINS,
    PluginSchema,
    PluginUse,
    PluginUses,
    context_of,
    definitions_with,
    problems_with,
    reference_template,
)
from palabra_agent.config.wording import Path
from palabra_agent.errors import Problem

pytestmark = pytest.mark.unit


class Room(ConfigModel):
    """A config that names plugins, and nothing else."""

    plugins: PluginUses = ()


class Known:
    """Knows `voices`, whose `steps` may not be 0, and which leaves out steps of 3."""

    def __init__(self) -> None:
        self.asked = 0

    def mistakes(self, use: PluginUse) -> Sequence[tuple[Path, str]]:
        """Object to `steps`."""
        self.asked += 1
        return [(("config", "steps"), "must be at least 1")] if use.config.get("steps") == 0 else []

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Compare with the default."""
        return {"steps": 3, **one.config} == {"steps": 3, **other.config}

    def is_installed(self, name: str) -> bool:
        """One is."""
        return name == "voices"

    def settings_problems(self) -> Sequence[Problem]:
        """Find nothing wrong."""
        return ()


def mistakes(said: object, known: Known | None = None) -> list[str]:
    """The mistakes that are found with, or without, those who know the plugins."""
    try:
        Room.model_validate(said, context=context_of(known))
    except ValidationError as error:
        return list(map(str, problems_with(error, Room, known, ("room",))))
    return []


def test_a_plugin_is_asked_about_its_config() -> None:
    """Its mistakes have their path; without those who know it, only the shape is checked."""
    said = {"plugins": [{"name": "other"}, {"name": "voices", "config": {"steps": 0}}]}

    assert mistakes(said, Known()) == ["room.plugins[1].config.steps: must be at least 1"]
    assert mistakes(said) == []
    assert mistakes({"plugins": [{"name": "voices", "voice": "x"}]}) == [
        "room.plugins[0].voice: unknown key; known are name, config; what the plugin itself is "
        "told belongs in `config`"
    ]


def test_one_plugin_may_stand_there_twice_told_different_things() -> None:
    """Equal configs are refused, also where one leaves a default out."""
    one, same, other = ({"name": "voices", "config": it} for it in ({}, {"steps": 3}, {"steps": 4}))

    assert mistakes({"plugins": [one, other]}, Known()) == []
    assert mistakes({"plugins": [one, same]}) == []
    assert mistakes({"plugins": [one, same]}, Known()) == [
        'room.plugins[1]: "voices" is named twice with the same config'
    ]


def test_of_too_many_none_is_asked() -> None:
    """A list that is too long is refused as a whole."""
    known = Known()
    uses = [{"name": f"p{number}"} for number in range(MAX_PLUGINS + 1)]

    assert mistakes({"plugins": uses}, known) == [
        "room.plugins: 21 plugins are more than the 20 that a room may have"
    ]
    assert known.asked == 0


def test_a_plugin_that_is_written_as_a_key_is_recognised() -> None:
    """Where it belongs is told, if it is installed."""
    said: dict[str, dict[str, object]] = {"voices": {}, "vices": {}}
    misplaced, unknown = mistakes(said, Known())

    assert misplaced == "room.voices: is a plugin; name it under `plugins`"
    assert unknown.startswith("room.vices: unknown key")
    assert mistakes(said)[0].startswith("room.voices: unknown key")


def test_definitions_of_plugins_are_kept_apart() -> None:
    """Two plugins may call a model alike."""
    room: dict[str, Any] = {"PluginUse": {"properties": {"name": {}, "config": {}}}}
    of_a = {"$defs": {"Pool": {"title": "a"}}, "required": ["x"], "description": "Of a."}
    schemas = [PluginSchema("a", of_a, {"x": 1}), PluginSchema("b", {"$defs": {"Pool": {}}})]
    whole = definitions_with(room, schemas)

    assert whole["plugin:a:Pool"] == {"title": "a"}
    assert whole["plugin:b:Pool"] == {}
    assert reference_template("a").format(model="Pool") == "#/$defs/plugin:a:Pool"
    use = whole["PluginUse"]
    assert use["properties"]["name"]["anyOf"] == [
        {"const": "a", "description": "Of a."},
        {"const": "b"},
    ]
    assert use["examples"] == [{"name": "a", "config": {"x": 1}}]
    assert [branch["then"].get("required") for branch in use["allOf"]] == [["config"], None]
