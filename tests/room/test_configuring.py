"""The config of a running room: who may change it, and who learns of what."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.config.plugins import PluginUse
from palabra_agent.config.room import RoomConfig, known_keys, parse_room_config
from palabra_agent.config.wording import Path
from palabra_agent.errors import Problem
from palabra_agent.interpretation.settings import InterpretationSettings
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.rpc import Call, CallRefused
from palabra_agent.palabra.session_settings import SessionSettings
from palabra_agent.plugin import Plugin, PluginConfig
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.room.change import Plugins
from palabra_agent.room.configuring import Configuring, Parts
from palabra_agent.room.terms import session_settings_of, terms_of

pytestmark = pytest.mark.unit

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

    def __post_init__(self) -> None:
        catalog: Plugins = Catalog()
        self.terms: Watched[InterpretationSettings] = Watched(terms_of(self.began))
        parts = Parts(self.terms, self.room.sessions, self.room, self.room, self.room.limit)
        self.configuring = Configuring(self.began, parts, catalog, ["otto"])

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
    )
    terms, now = scene.terms.value, scene.configuring.config

    assert answer == {
        "changed": ["languages", "limits", "captions", "palabra"],
        "later": ["palabra.transport", "limits.idle_pause_seconds"],
    }
    assert scene.room.of("offer") == [["es", "de"]]
    assert scene.room.of("limit") == [5]
    assert scene.room.of("sessions") == [session_settings_of(now)]
    assert scene.room.of("plugins") == []
    assert terms.regime.offered == (ES, DE)
    assert terms.rules.partials is False
    assert terms.linger_seconds == 1


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

    assert scene.terms.value.task_revision == expected
    assert scene.terms.value.plugins_revision == 0


async def test_what_is_equal_concerns_nobody() -> None:
    """The same config again, or a default that is written out."""
    scene = Scene()
    before = scene.terms.value

    assert await scene.ask(languages=["en", "es"], chat={}) == {"changed": [], "later": []}
    assert scene.terms.value is before
    assert scene.room.told == []


async def test_a_change_elsewhere_leaves_the_regime_alone() -> None:
    """Who may be interpreted into what is not thought over because the chat changed."""
    scene = Scene()
    regime = scene.terms.value.regime
    await scene.ask(chat={"audience": "everyone"})

    assert scene.terms.value.regime is regime
    assert scene.terms.value.rules.audience == "everyone"


async def test_others_are_told_before_plugins_open() -> None:
    """Opening takes time; the terms say so only when all of it is done."""
    scene = Scene()
    scene.room.may_open.clear()
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(scene.ask(languages=["de"], plugins=[{"name": "one"}]))
        await scene.terms.wait_until(lambda terms: terms.regime.offered == (DE,))
        assert scene.terms.value.plugins_revision == 0
        assert not asking.done()
        scene.room.may_open.set()

    assert scene.room.told[-1] == ("plugins", (["one"], ["de"]))
    assert scene.terms.value.plugins_revision == 1


async def test_changes_are_made_one_after_the_other() -> None:
    """The second is read when the first is made, and lies over it."""
    scene = Scene()
    scene.room.may_open.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(scene.ask(languages=["de"], plugins=[{"name": "one"}]))
        await scene.terms.wait_until(lambda terms: terms.regime.offered == (DE,))
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
        palabra={"translations": {"de": {"style": "plain"}}},
    )
    [changed, caution] = caplog.records

    assert changed.getMessage() == "room config changed"
    assert changed.__dict__["keys"] == ["speakers", "palabra"]
    assert caution.getMessage().startswith("caution: palabra.translations.de is not used")
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
