"""A change of a running room's config: what it may be, what it changes, what is only written."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from palabra_agent.config.room import RoomConfig
from palabra_agent.errors import RoomConfigError
from palabra_agent.plugin import Plugin, PluginConfig, RoomInfo, VoiceAnswer, VoicePolicy
from palabra_agent.plugin import VoiceRequest as Request
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.room.change import ConfigChange, read_change, read_config

pytestmark = pytest.mark.unit


class Config(PluginConfig):
    """What the plugin of these tests may be told."""

    voice: str = "anna"


class Silent(VoicePolicy):
    """Chooses nothing."""

    async def choose_voice(self, request: Request) -> VoiceAnswer:
        """Pass."""
        return None


@asynccontextmanager
async def opened(_room: RoomInfo[Any], _config: Config) -> AsyncGenerator[Silent]:
    """Be open."""
    yield Silent()


recipe = Plugin(Config, opened)

EVERYTHING: dict[str, Any] = {
    "languages": ["es", "de", "zh-hans"],
    "always_on": ["de"],
    "default_listen": "es",
    "source_language": "en",
    "spoken_languages": ["en", "fr"],
    "speakers": {
        "guest-1": {"interpret": False},
        "guest-*": {"source_language": "fr"},
        "*@example.org": {"source_language": "auto"},
    },
    "captions": {"partials": False},
    "chat": {"audience": "everyone"},
    "plugins": [{"name": "one"}, {"name": "one", "config": {"voice": "bert"}}],
    "organisers": ["olga"],
    "palabra": {
        "transport": "auto",
        "preprocessing": None,
        "translations": {
            "default": {"speech_generation": {"voice_id": "default_high"}},
            "ES": {"style": "plain"},
        },
        "translation_queue_configs": {"global": {"max_tempo": 1.2}, "de": {}},
        "websocket": {"format": "opus", "sample_rate": 48000},
        "undocumented": {"pipeline": {"translations": {"default": {"x": [1, None]}}}},
    },
    "limits": {"idle_pause_seconds": None, "linger_seconds": 3, "max_minutes": 90},
}


@pytest.fixture(scope="module")
def catalog() -> PluginCatalog:
    """Have one plugin."""
    return load_plugins(
        entry_points=[
            EntryPoint(name="one", value=f"{__name__}:recipe", group="palabra_agent.plugins")
        ]
    )


def begin(catalog: PluginCatalog, **said: object) -> RoomConfig:
    """Begin with what a dispatch says."""
    return read_config(json.dumps(said), [], catalog).config


def change(held: RoomConfig, catalog: PluginCatalog, **said: object) -> ConfigChange:
    """Change something of it."""
    return read_change(json.dumps(said), held, catalog)


def refusal(held: RoomConfig, catalog: PluginCatalog, payload: str) -> list[str]:
    """Try to change something; tell why not."""
    with pytest.raises(RoomConfigError) as caught:
        read_change(payload, held, catalog)
    return [str(problem) for problem in caught.value.problems]


def test_what_holds_at_first_has_its_plugins_ready(catalog: PluginCatalog) -> None:
    """A dispatch's metadata lies over the worker's layers."""
    layers = [{"languages": ["es"], "plugins": [{"name": "one"}]}]
    began = read_config('{"languages": ["de"]}', layers, catalog)

    assert began.config.languages == ("de",)
    assert [it.name for it in began.plugins] == ["one"]
    assert began.keys == began.later == ()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"chat": {"enabled": True}},
        {"languages": ["ES", "de", "zh_hans"]},
        {"plugins": EVERYTHING["plugins"]},
        {"plugins": [{"name": "one", "config": {"voice": "anna"}}, EVERYTHING["plugins"][1]]},
        {"organisers": ["olga"]},
        {"palabra": {"speech": True, "translations": {"de": {}}}},
        {"speakers": {"guest-1": {"interpret": False}}},
        EVERYTHING,
    ],
)
def test_what_holds_already_changes_nothing(catalog: PluginCatalog, said: dict[str, Any]) -> None:
    """The same again, or a default that is written out, is no change."""
    held = begin(catalog, **EVERYTHING)
    made = change(held, catalog, **said)

    assert made.keys == made.later == ()
    assert made.plugins == catalog.configure(held.plugins)


def test_an_empty_payload_changes_nothing(catalog: PluginCatalog) -> None:
    """As empty metadata does."""
    assert read_change("", begin(catalog, **EVERYTHING), catalog).keys == ()


@pytest.mark.parametrize(
    ("said", "keys", "later"),
    [
        ({"languages": ["es", "de"]}, ["languages"], []),
        ({"default_listen": None}, ["default_listen"], []),
        ({"captions": {"enabled": False}, "chat": {"enabled": False}}, ["captions", "chat"], []),
        ({"speakers": {"guest-1": {"interpret": True}}}, ["speakers"], []),
        ({"speakers": {"*@example.org": {}}}, ["speakers"], []),
        ({"plugins": []}, ["plugins"], []),
        ({"plugins": EVERYTHING["plugins"][::-1]}, ["plugins"], []),
        ({"palabra": {"transport": "webrtc"}}, ["palabra"], ["palabra.transport"]),
        ({"palabra": {"speech": False}}, ["palabra"], ["palabra.speech"]),
        ({"palabra": {"websocket": {"chunk_ms": 100}}}, ["palabra"], ["palabra.websocket"]),
        ({"palabra": {"translations": {"es": {"style": "odd"}}}}, ["palabra"], []),
        (
            {"limits": {"idle_pause_seconds": 5, "silent_output_seconds": None}},
            ["limits"],
            ["limits.idle_pause_seconds", "limits.silent_output_seconds"],
        ),
        ({"limits": {"max_minutes": None}}, ["limits"], []),
    ],
)
def test_a_change_tells_what_it_changes(
    catalog: PluginCatalog, said: dict[str, Any], keys: list[str], later: list[str]
) -> None:
    """Keys with other values than before, and what holds for later sessions alone."""
    made = change(begin(catalog, **EVERYTHING), catalog, **said)

    assert list(made.keys) == keys
    assert list(made.later) == later


def test_changes_lie_over_each_other(catalog: PluginCatalog) -> None:
    """What is not mentioned stays, and null means what it means in a dispatch."""
    held = begin(catalog, languages=["es", "de"], palabra={"preprocessing": {"enable_vad": True}})
    for said in (
        {"palabra": {"translations": {"es": {"style": "plain"}}}},
        {"palabra": {"preprocessing": None}},
        {"palabra": {"translations": {"ES": {"translation_model": "auto"}}}},
        {"palabra": {"preprocessing": {"pre_vad_dsp": True}}},
    ):
        held = change(held, catalog, **said).config

    spanish = held.palabra.translations["es"]
    assert (spanish.style, spanish.translation_model) == ("plain", "auto")
    assert held.palabra.preprocessing is not None
    assert held.palabra.preprocessing.enable_vad is None
    assert held.palabra.preprocessing.pre_vad_dsp is True


def test_newer_patterns_are_tried_first(catalog: PluginCatalog) -> None:
    """As with layers of a worker's settings."""
    held = begin(catalog, speakers={"*": {"source_language": "en"}})
    held = change(held, catalog, speakers={"guest-*": {"source_language": "fr"}}).config

    assert held.speaker_override("guest-1").source_language == "fr"
    assert held.speaker_override("alice").source_language == "en"


@pytest.mark.parametrize(
    ("payload", "problems"),
    [
        ("[]", ["the room config must be a JSON object, not a list"]),
        ("{", ["the room config is not JSON: Expecting property name enclosed in double quotes"]),
        ('{"chat": 1, "chat": 2}', ["chat: given twice", "chat: must be an object, not 2"]),
        ('{"langages": []}', ['langages: unknown key, did you mean "languages"?']),
        ('{"languages": ["de"]}', ['default_listen: "es" is not among the languages']),
        ('{"plugins": [{"name": "two"}]}', ['plugins[0].name: "two" is not installed']),
        (
            '{"plugins": [{"name": "one", "config": {"voice": 5}}]}',
            ["plugins[0].config.voice: must be a string, not 5"],
        ),
        (
            '{"organisers": ["mallory"], "chat": 1}',
            ["organisers: cannot be changed while the room runs", "chat: must be an object"],
        ),
        ('{"palabra": {"client_secret": "x"}}', ["palabra.client_secret: credentials are never"]),
    ],
)
def test_mistakes_are_told_in_the_words_of_a_dispatch(
    catalog: PluginCatalog, payload: str, problems: list[str]
) -> None:
    """All of them at once, each with its path; who the organisers are cannot be changed."""
    held = begin(catalog, languages=["es", "de"], default_listen="es", organisers=["olga"])
    told = refusal(held, catalog, payload)

    assert len(told) >= len(problems)
    for start in problems:
        assert any(it.startswith(start) for it in told), told
