"""The commands that need no server, as people type them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from palabra_agent.__main__ import app
from palabra_agent.config.room import room_config_schema
from palabra_agent.languages import TARGET_LANGUAGES
from palabra_agent.local.processes import free_port
from tests.clock import HANG_SECONDS
from tests.plugins_host.installed import install

pytestmark = pytest.mark.unit

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of distributions, for a Python that is told to look there."""
    entries = {
        "acme.voices": "tests.good_plugins.voices:plugin",
        "acme.broken": "tests.broken_plugins.no_recipe:plugin",
        "acme.prints": "tests.broken_plugins.prints:plugin",
    }
    install(tmp_path, "acme-voices", "2.1", entries)
    return tmp_path


def run_with(
    folder: Path, *words: str, encoding: str = "utf-8"
) -> subprocess.CompletedProcess[str]:
    """Run a command where these distributions are installed as well."""
    where = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "palabra_agent", *words],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": where,
            "PYTHONWARNINGS": "error",
            "PYTHONIOENCODING": encoding,
        },
        cwd=folder,
        text=True,
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def test_a_terminal_without_a_character_is_told_the_rest(folder: Path) -> None:
    """What ASCII cannot show ends no command, and good is still told from wrong."""
    done = run_with(folder, "check", "--config", '{"langauges": "ñ…"}', encoding="ascii")

    assert done.returncode == 1
    assert done.stderr.replace("hello from a plugin\n", "") == ""
    assert 'wrong room config: langauges: unknown key, did you mean "languages"?' in done.stdout

    shown = run_with(folder, "check", "--config", '{"channels": "ñ…"}', encoding="ascii").stdout
    assert 'channels: must be "per_language" or "per_speaker", not "??"' in shown


def test_schema_prints_the_room_config(folder: Path) -> None:
    """It is the whole JSON Schema, with codes and plugins, and nothing that a plugin says."""
    done = run_with(folder, "schema")
    printed = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "hello from a plugin\n")
    assert printed["properties"] == room_config_schema()["properties"]
    assert "plugin:acme.voices" in printed["$defs"]
    assert "plugin:acme.broken" not in printed["$defs"]
    assert all(f'"{code}"' in done.stdout for code in TARGET_LANGUAGES)


def test_plugins_lists_what_is_installed(folder: Path) -> None:
    """One whole line each, also through a pipe; what is wrong stands below, and ends nothing."""
    done = run_with(folder, "plugins")
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]

    assert done.returncode == 0
    assert cells[0] == ["name", "distribution", "version", "kind", "status"]
    assert ["acme.voices", "acme-voices", "2.1", "voice policy", "ready"] in cells
    assert ["acme.broken", "acme-voices", "2.1", "plugin", "failed to load"] in cells
    assert (
        "acme.broken: failed to load: its entry point must name a `Plugin(…)`, not a dict\n"
        in done.stdout
    )
    assert done.stderr == "hello from a plugin\n"


def test_plugins_knows_the_workers_settings(folder: Path) -> None:
    """With its file, what is allowed and what plugins are told is taken into account."""
    file = folder / "worker.toml"
    file.write_text("[worker]\nallowed_plugins = ['acme.voices']\n[plugins.'acme.voices']\nx = 1")
    done = run_with(folder, "plugins", "--settings", str(file))

    assert done.returncode == 0
    assert re.search(r"^acme\.voices .* wrong settings *$", done.stdout, re.MULTILINE)
    assert re.search(r"^acme\.prints .* not allowed *$", done.stdout, re.MULTILINE)
    assert 'plugins["acme.voices"].x: unknown key; known are limit, ' in done.stdout
    missing = run_with(folder, "plugins", "--settings", "none.toml")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "palabra-agent: the settings file none.toml does not exist\n"


@pytest.mark.parametrize("option", ["--settings", "--config"])
def test_start_tells_what_is_wrong_with_plugins(folder: Path, option: str) -> None:
    """Before it serves, whichever name the option of its file is given by."""
    file = folder / "worker.toml"
    file.write_text("[plugins.'acme.voices']\nx = 1\n[[rooms]]\nmatch = '*'\nplugins = [{}]")
    done = run_with(folder, "start", option, str(file))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-2:] == [
        "palabra-agent: rooms[0].plugins[0].name: is missing",
        'palabra-agent: plugins["acme.voices"].x: unknown key; known are limit, api_token, '
        "webhooks, door",
    ]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1", "WebRTC does not use 127.0.0.1"),
        ("127.3.2.1", "WebRTC does not use 127.3.2.1"),
        ("0.0.0.0", "WebRTC does not use 0.0.0.0"),
        ("foo", 'must be an IPv4 address such as 192.168.1.20, not "foo"'),
        ("::1", 'must be an IPv4 address such as 192.168.1.20, not "::1"'),
    ],
)
def test_a_useless_media_address_is_refused(address: str, words: str) -> None:
    """`livekit --node-ip` does not say that it serves where nobody would be heard."""
    done = CliRunner().invoke(app, ["livekit", "--node-ip", address])

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("palabra-agent: --node-ip: ")
    assert words in done.stderr


def test_dispatch_warns_of_what_the_worker_decides() -> None:
    """The warning stands on stderr, and the dispatch goes on to ask the server."""
    url = f"ws://127.0.0.1:{free_port()}"
    env = {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
    codes = ["en", "es", "de", "fr", "it", "pt", "nl", "pl", "ru"]
    words = ["dispatch", "room", "--config", json.dumps({"always_on": codes})]
    done = CliRunner().invoke(app, words, env=env)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"palabra-agent: warning: always_on: 9 languages ({', '.join(codes)}) are more than "
        "`limits.max_languages` allows, which is 8; the worker's own settings may allow it",
        f"palabra-agent: LiveKit cannot be reached at {url}: connection refused",
    ]


def test_dispatch_warns_of_plugins_that_are_not_here() -> None:
    """The worker may have them; a wrong shape is wrong everywhere."""
    url = f"ws://127.0.0.1:{free_port()}"
    env = {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
    config = '{"plugins": [{"name": "surely-not-there"}]}'
    done = CliRunner().invoke(app, ["dispatch", "room", "--config", config], env=env)

    assert done.stderr.startswith(
        'palabra-agent: warning: plugins[0].name: "surely-not-there" is not installed'
    )
    assert done.stderr.endswith(f"LiveKit cannot be reached at {url}: connection refused\n")
    wrong = '{"plugins": [{"nam": "surely-not-there"}]}'
    done = CliRunner().invoke(app, ["dispatch", "room", "--config", wrong], env=env)
    assert done.stderr.splitlines() == [
        "palabra-agent: plugins[0].name: is missing",
        'palabra-agent: plugins[0].nam: unknown key, did you mean "name"?',
    ]


@pytest.mark.parametrize("command", ["start", "dispatch"])
def test_help_says_everything(command: str) -> None:
    """What stands in brackets too; and each command only what is true of it."""
    done = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "300"})

    is_start = command == "start"
    assert done.exit_code == 0
    assert ("[worker], [room], [[rooms]], [ceilings], [plugins.NAME]." in done.stdout) is is_start
    assert ("empty joins every new room" in done.stdout) is is_start
    assert ("`--config` is another name for it" in done.stdout) is is_start
    assert "(palabra-interpreter)" in done.stdout


def test_a_log_level_is_one_of_three() -> None:
    """Another is refused before anything begins."""
    done = CliRunner().invoke(app, ["start", "--log-level", "loud"], env={"COLUMNS": "200"})

    assert done.exit_code == 2
    assert "'loud' is not one of 'debug', 'info', 'warning'" in done.stderr


def test_plugins_says_which_allowed_names_are_not_installed(folder: Path) -> None:
    """Else everything there is would only be called not allowed."""
    file = folder / "worker.toml"
    file.write_text("[worker]\nallowed_plugins = ['acme.voice']")
    done = run_with(folder, "plugins", "--settings", str(file))

    assert done.stderr == (
        'palabra-agent: worker.allowed_plugins[0]: "acme.voice" is not installed, '
        'did you mean "acme.voices"?\n'
    )
