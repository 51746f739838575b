"""What the check-up says of settings, plugins and a room config; servers are not asked here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from types import MappingProxyType

import pytest

from palabra_agent.commands.checkup import Finding, examine
from palabra_agent.plugins_host.catalog import load_plugins
from tests.environment import environment
from tests.plugins_host.installed import broken, entry

pytestmark = pytest.mark.unit


async def findings(
    *entries: EntryPoint,
    room: str | None = None,
    file: Path | None = None,
    env: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Finding]:
    """Examine an installation with these plugins, and this environment alone."""
    load = partial(load_plugins, entry_points=entries)
    with environment(env):
        found = [finding async for finding in examine(file, room, load=load)]
    return {finding.subject: finding for finding in found}


def settings_file(folder: Path, text: str) -> Path:
    """Write the worker's settings."""
    file = folder / "worker.toml"
    file.write_text(text, encoding="utf-8")
    return file


async def test_nothing_installed_is_good() -> None:
    """A worker needs no plugins, and what needs good settings is left out."""
    found = await findings()

    assert list(found) == ["settings", "plugins"]
    assert found["plugins"] == Finding("plugins", is_good=True, details=("none installed",))


async def test_each_that_fails_is_named() -> None:
    """What is not in use, because nobody gave it what it needs, is only mentioned."""
    found = await findings(entry("voices"), entry("diary"), broken("raises"), broken("no_recipe"))

    assert found["plugins"].details == (
        "ready: voices",
        "diary: needs settings: plugins.diary.folder: is missing; plugins.diary.password: is "
        "missing",
        "no_recipe: failed to load: its entry point must name a `Plugin(…)`, not a dict",
        "raises: failed to load: it raises RuntimeError (alice@example.org may not know this nor "
        "that)",
    )
    assert not found["plugins"].is_good
    assert (await findings(entry("diary")))["plugins"].is_good


async def test_settings_of_plugins_are_looked_at(tmp_path: Path) -> None:
    """The file that `start` would read decides what is allowed, and what plugins are told."""
    text = "[worker]\nallowed_plugins = ['voices']\n[plugins.voices]\nlimit = 0"
    found = await findings(entry("voices"), entry("diary"), file=settings_file(tmp_path, text))

    wrong = "plugins.voices.limit: must be greater than 0, not 0"
    assert found["settings"].details[-1] == wrong
    assert found["plugins"].details == (
        "ready: none",
        "diary: not allowed",
        f"voices: wrong settings: {wrong}",
    )
    assert not found["plugins"].is_good


async def test_plugins_are_looked_at_without_settings_too(tmp_path: Path) -> None:
    """A file that cannot be read says nothing of them."""
    found = await findings(entry("voices"), file=settings_file(tmp_path, "= nothing"))

    assert not found["settings"].is_good
    assert found["plugins"].details == ("ready: voices",)


@pytest.mark.parametrize(
    ("room", "is_good", "words"),
    [
        (
            '{"languages": ["en", "es"], "plugins": [{"name": "voices"}]}',
            True,
            "valid; offers en, es",
        ),
        (
            '{"plugins": [{"name": "voices", "config": {"steps": 0}}]}',
            False,
            "plugins[0].config.steps: must be at least 1, not 0",
        ),
        (
            '{"plugins": [{"name": "voice"}]}',
            False,
            'plugins[0].name: "voice" is not installed, did you mean "voices"?',
        ),
    ],
)
async def test_a_room_config_is_checked_with_the_plugins(
    room: str, is_good: bool, words: str
) -> None:
    """It is judged as the worker would judge it."""
    finding = (await findings(entry("voices"), room=room))["room config"]

    assert (finding.is_good, finding.details) == (is_good, (words,))


async def test_a_room_config_is_checked_with_the_operator_s_ceilings(tmp_path: Path) -> None:
    """What the worker would cut is told, and what it would refuse is wrong."""
    file = settings_file(tmp_path, "[ceilings]\nmax_minutes = 60\nlocked = ['chat']")
    variables = {
        "LIVEKIT_URL": "ws://127.0.0.1:9",
        "LIVEKIT_API_KEY": "key",
        "LIVEKIT_API_SECRET": "s" * 40,
        "PALABRA_API_KEY": "key",
        "PALABRA_API_URL": "http://127.0.0.1:9",
    }
    rooms = ('{"languages": ["es"], "limits": {"max_minutes": 90}}', '{"chat": {"enabled": false}}')
    found = [(await findings(room=room, file=file, env=variables))["room config"] for room in rooms]

    assert found == [
        Finding(
            "room config",
            is_good=True,
            details=(
                "valid; offers es",
                "limits.max_minutes: cut from 90 to 60, the operator's ceiling",
            ),
        ),
        Finding(
            "room config",
            is_good=False,
            details=(
                "chat: is locked by the worker's operator: rooms and organisers may not set it",
            ),
        ),
    ]
