"""The config of a running room: its changes, who may make them, and the parts that learn of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.config.ceilings import Ceilings, RoomCeilings
from palabra_agent.config.plugins import PluginUse
from palabra_agent.config.room import NO_CEILINGS, RoomConfig, known_keys, parse_room_config
from palabra_agent.config.wording import Path
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.languages import EVERY_TARGET, LanguageCode
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.plugin import Plugin, PluginConfig, RoomInfo, VoiceAnswer, VoicePolicy
from palabra_agent.plugin import VoiceRequest as Request
from palabra_agent.plugins_host.catalog import PluginCatalog, load_plugins
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.room.configuration import (
    ConfigChange,
    ConfiguredParts,
    InstalledPlugins,
    RoomConfiguration,
    read_change,
    read_config,
)
from palabra_agent.room.settings import interpretation_settings_of, session_settings_of

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


CEILINGS = Ceilings(max_speakers=30, max_minutes=90).in_room(())


def test_what_a_dispatch_asks_for_above_a_ceiling_is_cut(catalog: PluginCatalog) -> None:
    """What was cut is told; what is locked is refused with all other mistakes."""
    said: dict[str, Any] = {"limits": {"max_speakers": 100_000, "max_minutes": None}}
    began = read_config(json.dumps(said), [], catalog, CEILINGS)

    assert (began.config.limits.max_speakers, began.config.limits.max_minutes) == (30, 90)
    assert [it.path for it in began.cuts] == ["limits.max_speakers", "limits.max_minutes"]
    said = {"palabra": {"undocumented": {"x": 1}}, "chat": 1}
    with pytest.raises(RoomConfigError) as caught:
        read_config(json.dumps(said), [], catalog, CEILINGS)
    assert [it.path for it in caught.value.problems] == ["palabra.undocumented", "chat"]


def test_an_organiser_stays_below_the_ceilings(catalog: PluginCatalog) -> None:
    """Also of what they leave alone, and of what the operator has locked."""
    own = {"palabra": {"undocumented": {"x": 1}}}
    held = read_config("", [own], catalog, CEILINGS).config
    assert held.limits.max_minutes == 90

    made = read_change('{"limits": {"max_minutes": 600}}', held, catalog, CEILINGS)
    assert made.keys == ()
    assert list(map(str, made.cuts)) == [
        "limits.max_minutes: cut from 600 to 90, the operator's ceiling"
    ]
    made = read_change('{"limits": {"max_speakers": 31}}', held, catalog, CEILINGS)
    assert (made.keys, made.config.limits.max_speakers) == (("limits",), 30)
    assert made.config.palabra.undocumented == {"x": 1}
    for said in ('{"palabra": {"undocumented": {}}}', '{"palabra": {"undocumented": {"x": 1}}}'):
        assert read_change(said, held, catalog, CEILINGS).keys == ()
    with pytest.raises(RoomConfigError, match=r"^palabra\.undocumented: is locked"):
        read_change('{"palabra": {"undocumented": {"x": 2}}}', held, catalog, CEILINGS)


ES, DE = LanguageCode("es"), LanguageCode("de")


class Catalog:
    """Knows every plugin by name, except one that is never right."""

    def mistakes(self, use: PluginUse) -> Sequence[tuple[Path, str]]:
        """Object to one of them."""
        return [(("name",), '"wrong" is not installed')] if use.name == "wrong" else []

    def is_installed(self, name: str) -> bool:
        """None is."""
        return False

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        """Compare what is written."""
        return one == other

    def settings_problems(self) -> Sequence[Problem]:
        """Find nothing wrong."""
        return ()

    def configure(self, uses: Sequence[PluginUse]) -> tuple[ConfiguredPlugin, ...]:
        """Make them ready as they are."""
        recipe: Plugin[Any, Any] = Plugin(PluginConfig, lambda _room, _config: None)  # type: ignore[arg-type,return-value]  # never opened
        return tuple(
            ConfiguredPlugin(it.name, recipe, PluginConfig(), PluginConfig()) for it in uses
        )


@dataclass
class Room:
    """All parts of a room in one, with a note of what each was told, and in which order."""

    told: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    may_open: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether plugins open at once."""

    def __post_init__(self) -> None:
        self.may_open.set()
        self.sessions = Sessions(self)
        self.limit = Limit(self)

    async def follow(
        self, plugins: Sequence[ConfiguredPlugin], languages: Sequence[LanguageCode]
    ) -> None:
        """Open plugins."""
        await self.may_open.wait()
        self.told.append(("plugins", ([it.name for it in plugins], list(languages))))

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show languages."""
        self.told.append(("offer", list(languages)))

    def listen_to(self, microphone_sources: Collection[str]) -> None:
        """Listen to other tracks."""
        self.told.append(("listen", list(microphone_sources)))

    def of(self, part: str) -> list[Any]:
        """What one part was told."""
        return [it for name, it in self.told if name == part]


@dataclass
class Sessions:
    """Palabra's sessions, which only listen."""

    room: Room

    def follow(self, settings: SessionSettings) -> None:
        """Take note."""
        self.room.told.append(("sessions", settings))


@dataclass
class Limit:
    """A time limit, which only listens."""

    room: Room

    def follow(self, minutes: float | None) -> None:
        """Take note."""
        self.room.told.append(("limit", minutes))


def config(said: dict[str, Any] | None = None) -> RoomConfig:
    """Read a config with an organiser."""
    return parse_room_config(json.dumps({"organisers": ["olga"], **(said or {})}))


@dataclass
class Scene:
    """A room that runs."""

    began: RoomConfig = field(default_factory=config)
    room: Room = field(default_factory=Room)
    remarks: dict[str, Any] = field(default_factory=dict[str, Any])
    ceilings: RoomCeilings = NO_CEILINGS

    def __post_init__(self) -> None:
        catalog: InstalledPlugins = Catalog()
        self.interpretation: Watched[InterpretationSettings] = Watched(
            interpretation_settings_of(self.began)
        )
        parts = ConfiguredParts(
            self.interpretation, self.room.sessions, self.room, self.room, self.room.limit
        )
        self.configuring = RoomConfiguration(
            self.began,
            parts,
            catalog,
            ["otto"],
            ceilings=self.ceilings,
            remarks=lambda: self.remarks,
        )

    async def ask(self, caller: str = "olga", **said: object) -> dict[str, Any]:
        """Ask for a change."""
        return dict(await self.configuring.configure(Call(caller, json.dumps(said))))

    async def refused(self, payload: str, caller: str = "olga") -> CallRefused:
        """Ask in vain."""
        with pytest.raises(CallRefused) as caught:
            await self.configuring.configure(Call(caller, payload))
        return caught.value


@pytest.mark.parametrize("caller", ["olga", "otto"])
async def test_organisers_of_room_and_worker_may_change_it(caller: str) -> None:
    """Both lists count."""
    scene = Scene()

    assert await scene.ask(caller, languages=["de"]) == {"changed": ["languages"], "later": []}
    assert scene.configuring.config.languages == ("de",)


async def test_the_answer_tells_what_was_cut(caplog: pytest.LogCaptureFixture) -> None:
    """So does the log, without what was said."""
    scene = Scene(ceilings=CEILINGS)
    answer = await scene.ask(limits={"max_speakers": 4711}, languages=["de"])

    assert answer == {
        "changed": ["languages", "limits"],
        "later": [],
        "cut": [
            {
                "path": "limits.max_speakers",
                "reason": "cut from 4711 to 30, the operator's ceiling",
            }
        ],
    }
    (logged,) = [it for it in caplog.records if it.levelname == "WARNING"]
    assert logged.getMessage() == "limits were cut"
    assert vars(logged)["limits"] == ["limits.max_speakers"]
    assert "4711" not in caplog.text


@pytest.mark.parametrize("caller", ["guest", "Olga", "", "olga "])
async def test_nobody_else_may(caller: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the payload is: it is not even read."""
    caplog.set_level(logging.INFO)
    scene = Scene()
    refused = await scene.refused("nonsense", caller)

    assert refused.code == 403
    assert str(refused).startswith("only organisers may change the room's config")
    assert scene.room.told == []
    assert caplog.records == []


async def test_nobody_may_where_nobody_was_named() -> None:
    """Without organisers the config is what the dispatch said."""
    scene = Scene(parse_room_config(""))

    assert (await scene.refused("{}", "olga")).code == 403


async def test_who_is_concerned_learns_of_it_at_once() -> None:
    """Settings, sessions, offer and time limit; the answer tells what holds for later sessions."""
    scene = Scene()
    answer = await scene.ask(
        languages=["es", "de"],
        captions={"partials": False},
        limits={"linger_seconds": 1, "max_minutes": 5, "idle_pause_seconds": 3},
        palabra={"transport": "websocket"},
        microphone_sources=["screen_share_audio"],
    )
    interpretation, now = scene.interpretation.value, scene.configuring.config

    assert answer == {
        "changed": ["languages", "limits", "microphone_sources", "captions", "palabra"],
        "later": ["palabra.transport", "limits.idle_pause_seconds"],
    }
    assert scene.room.of("offer") == [["es", "de"]]
    assert scene.room.of("listen") == [["screen_share_audio"]]
    assert scene.room.of("limit") == [5]
    assert scene.room.of("sessions") == [session_settings_of(now)]
    assert scene.room.of("plugins") == []
    assert interpretation.regime.offered == (ES, DE)
    assert interpretation.rules.partials is False
    assert interpretation.linger_seconds == 1


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"chat": {"enabled": False}}, 0),
        ({"languages": ["de"]}, 0),
        ({"palabra": {"transport": "websocket", "speech": False}}, 0),
        ({"limits": {"idle_pause_seconds": 1}}, 0),
        ({"palabra": {"transcription": {"priority": "speed"}}}, 1),
        ({"spoken_languages": ["en"]}, 1),
        ({"captions": {"partials": False}}, 1),
    ],
)
async def test_tasks_are_made_anew_where_they_are_others(
    said: dict[str, Any], expected: int
) -> None:
    """Only then does any open session hear of it."""
    scene = Scene()
    await scene.ask(**said)

    assert scene.interpretation.value.task_revision == expected
    assert scene.interpretation.value.plugins_revision == 0


async def test_the_answer_tells_what_came_of_it() -> None:
    """Such as who is not cloned; also where nothing changed."""
    scene = Scene(remarks={"not_cloned": ["alice"]})

    assert (await scene.ask(languages=["de"]))["not_cloned"] == ["alice"]
    assert await scene.ask() == {"changed": [], "later": [], "not_cloned": ["alice"]}


async def test_what_people_are_to_know_follows_the_config() -> None:
    """Where voices are to be cloned, and that Palabra is to record."""
    scene = Scene()
    cloning = {"default": {"speech_generation": {"voice_cloning": True}}}
    await scene.ask(palabra={"translations": cloning, "preprocessing": {"record_tracks": ["in"]}})
    asked = scene.interpretation.value
    spoken = {"default": {"speech_generation": {"voice_cloning": False}}}
    await scene.ask(palabra={"translations": spoken, "preprocessing": None})
    now = scene.interpretation.value

    assert asked.cloned == set(scene.configuring.config.languages)
    assert asked.announced == ("Palabra, which interprets here, is asked to record what is said.",)
    assert (now.cloned, now.announced) == (frozenset(), ())


async def test_what_is_equal_concerns_nobody() -> None:
    """The same config again, or a default that is written out."""
    scene = Scene()
    before = scene.interpretation.value

    assert await scene.ask(languages=[*EVERY_TARGET], chat={}) == {"changed": [], "later": []}
    assert scene.interpretation.value is before
    assert scene.room.told == []


async def test_a_change_elsewhere_leaves_the_regime_alone() -> None:
    """Who may be interpreted into what is not thought over because the chat changed."""
    scene = Scene()
    regime = scene.interpretation.value.regime
    await scene.ask(chat={"audience": "everyone"})

    assert scene.interpretation.value.regime is regime
    assert scene.interpretation.value.rules.audience == "everyone"


async def test_others_are_told_before_plugins_open() -> None:
    """Opening takes time; the interpretation say so only when all of it is done."""
    scene = Scene()
    scene.room.may_open.clear()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(scene.ask(languages=["de"], plugins=[{"name": "one"}]))
        await scene.interpretation.wait_until(lambda settings: settings.regime.offered == (DE,))
        assert scene.interpretation.value.plugins_revision == 0
        assert not asking.done()
        scene.room.may_open.set()

    assert scene.room.told[-1] == ("plugins", (["one"], ["de"]))
    assert scene.interpretation.value.plugins_revision == 1


async def test_changes_are_made_one_after_the_other() -> None:
    """The second is read when the first is made, and lies over it."""
    scene = Scene()
    scene.room.may_open.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.ask(languages=["de"], plugins=[{"name": "one"}]))
        await scene.interpretation.wait_until(lambda settings: settings.regime.offered == (DE,))
        second = group.create_task(scene.ask("otto", default_listen="de"))
        refused = group.create_task(scene.refused('{"default_listen": "es"}'))
        scene.room.may_open.set()

    assert second.result()["changed"] == ["default_listen"]
    assert "which are de" in str(refused.result())
    assert scene.configuring.config.default_listen == "de"
    assert [it.name for it in scene.configuring.config.plugins] == ["one"]


async def test_a_wrong_change_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """All mistakes are told with their paths; the log has keys, and nobody's identity."""
    caplog.set_level(logging.INFO)
    scene = Scene()
    payload = {
        "languages": ["de", "xx"],
        "plugins": [{"name": "wrong"}],
        "speakers": {"alice@example.org": {"interpret": 1}},
        "alice": 1,
    }
    refused = await scene.refused(json.dumps(payload))

    assert refused.code == 400
    assert str(refused).startswith("nothing was changed: ")
    assert str(refused).endswith("(and 3 more)")
    assert refused.data is not None
    assert {it["path"] for it in refused.data["problems"]} == {
        "languages[1]",
        "plugins[0].name",
        'speakers["alice@example.org"].interpret',
        "alice",
    }
    assert all(it["reason"] for it in refused.data["problems"])
    assert scene.configuring.config is scene.began
    assert scene.room.told == []
    assert "alice" not in caplog.text
    assert [it.__dict__["keys"] for it in caplog.records] == [["languages", "plugins", "speakers"]]


async def test_who_may_change_it_cannot_be_changed() -> None:
    """An organiser makes nobody else one, and bars nobody."""
    scene = Scene()
    refused = await scene.refused('{"organisers": ["olga", "mallory"]}')

    assert "organisers: cannot be changed while the room runs" in str(refused)
    assert (await scene.ask(organisers=["olga"]))["changed"] == []


async def test_the_log_tells_what_changed_and_not_by_whom(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Keys of the config are no secrets; cautions are told as at the start."""
    caplog.set_level(logging.INFO)
    await Scene().ask(
        speakers={"alice@example.org": {"interpret": False}},
        palabra={"translations": {"fr-eu": {"style": "plain"}}},
    )
    [changed, caution] = caplog.records

    assert changed.getMessage() == "room config changed"
    assert changed.__dict__["keys"] == ["speakers", "palabra"]
    assert caution.getMessage().startswith("caution: palabra.translations.fr-eu is not used")
    assert "alice" not in caplog.text
    assert "olga" not in caplog.text


def test_sessions_are_told_all_that_holds_for_them() -> None:
    """What a room's config says of Palabra is what sessions are opened by."""
    said = {"spoken_languages": ["en"], "captions": {"enabled": False}}
    settings: SessionSettings = session_settings_of(config(said))

    assert settings.detectable_languages == ("en",)
    assert settings.partial_translations is False
    assert settings.silence_limits.idle_pause_seconds == 20


def test_keys_are_all_that_is_taken_from_paths() -> None:
    """Everything else of a path may be what somebody made up."""
    paths = ["", "chat", "chat.enabled", 'speakers["a.b"].x', "plugins[0].config", "bob", "bob.x"]

    assert known_keys([Problem(it, "") for it in paths]) == ["chat", "plugins", "speakers"]
