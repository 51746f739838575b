"""The JSON Schema of the room config, with what installed plugins may be told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from palabra_agent.config.room import parse_room_config, room_config_schema
from palabra_agent.plugins_host.catalog import PluginCatalog
from tests.plugins_host.installed import broken, catalog_of, entry

pytestmark = pytest.mark.unit


def schema_of(catalog: PluginCatalog) -> dict[str, Any]:
    """The whole, as it is printed."""
    whole: dict[str, Any] = json.loads(json.dumps(room_config_schema(catalog.schemas())))
    return whole


def references(schema: object) -> set[str]:
    """Everything that a schema refers to."""
    if isinstance(schema, dict):
        own = {schema["$ref"]} if "$ref" in schema else set[str]()
        return own.union(*map(references, schema.values()))
    return set[str]().union(*map(references, schema)) if isinstance(schema, list) else set()


def test_a_name_decides_what_the_config_may_be() -> None:
    """An editor offers the names, and for each its keys with their meanings."""
    later = entry("later", "tests.good_plugins.voices_later:plugin")
    definitions = schema_of(catalog_of(entry("voices"), later))["$defs"]
    use = definitions["PluginUse"]

    assert use["properties"]["name"]["anyOf"] == [
        {"const": "later", "description": "Which voices there are, said otherwise."},
        {"const": "voices", "description": "Which voices there are."},
    ]
    assert [branch["if"]["properties"]["name"]["const"] for branch in use["allOf"]] == [
        "later",
        "voices",
    ]
    assert use["allOf"][0]["then"] == {
        "properties": {"config": {"$ref": "#/$defs/plugin:later"}},
        "required": ["config"],
    }
    assert "required" not in use["allOf"][1]["then"]
    voices = definitions["plugin:voices"]["properties"]
    assert voices["voice"]["description"] == "Id of the voice."
    assert voices["pitch"]["exclusiveMaximum"] == 4


def test_definitions_do_not_get_mixed_up() -> None:
    """Whatever models and plugins are called, each reference leads to its own."""
    names = ("Limits", "PluginUse", "voices", "voices.Pool")
    entries = (entry(name, "tests.good_plugins.voices:plugin") for name in names)
    whole = schema_of(catalog_of(*entries))

    assert whole["$defs"]["Limits"] == room_config_schema()["$defs"]["Limits"]
    assert "#/$defs/plugin:voices:Pool" in references(whole)
    assert references(whole) <= {f"#/$defs/{name}" for name in whole["$defs"]}


def test_the_example_is_a_good_config() -> None:
    """A whole config, with each plugin's own example; it can be used as it stands."""
    settings = {"diary": {"folder": "x", "password": "swordfish"}}
    catalog = catalog_of(entry("voices"), entry("diary"), settings=settings)
    whole = schema_of(catalog)
    (example,) = whole["examples"]

    assert example["plugins"] == whole["$defs"]["PluginUse"]["examples"]
    assert example["plugins"] == [
        {"name": "diary", "config": {"days": ["2026-01-31"]}},
        {"name": "voices", "config": {"voice": "default_low", "steps": 2}},
    ]
    assert len(parse_room_config(json.dumps(example), plugins=catalog).plugins) == 2


def test_what_did_not_load_is_left_out() -> None:
    """One that only lacks its settings is in: the worker may have them."""
    whole = schema_of(catalog_of(entry("diary"), broken("no_recipe")))

    assert [it["const"] for it in whole["$defs"]["PluginUse"]["properties"]["name"]["anyOf"]] == [
        "diary"
    ]


def test_without_plugins_any_name_may_stand_there() -> None:
    """Those who write configs may have none of the worker's plugins."""
    assert schema_of(catalog_of()) == room_config_schema()
    assert "anyOf" not in room_config_schema()["$defs"]["PluginUse"]["properties"]["name"]


def test_what_cannot_be_described_may_be_anything(caplog: pytest.LogCaptureFixture) -> None:
    """A model without a schema spoils no other's; a wrong example is not shown."""
    entries = (
        broken("cannot_be_described"),
        entry("wrong", "tests.broken_plugins.cannot_be_described:wrong_example"),
        entry("voices"),
    )
    definitions = schema_of(catalog_of(*entries))["$defs"]

    assert definitions["plugin:cannot_be_described"] == {"type": "object"}
    assert [use["name"] for use in definitions["PluginUse"]["examples"]] == ["voices"]
    assert [vars(it)["plugin"] for it in caplog.records] == ["cannot_be_described"]
