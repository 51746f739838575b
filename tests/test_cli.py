"""The commands that need no server, as people type them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from palabra_agent.cli import app
from palabra_agent.languages import TARGET_LANGUAGES
from palabra_agent.local.processes import free_port
from palabra_agent.room_config import room_config_schema

pytestmark = pytest.mark.unit


def test_schema_prints_the_room_config() -> None:
    """It is the whole JSON Schema, so the codes that a refusal points at are in it."""
    done = CliRunner().invoke(app, ["schema"])

    assert done.exit_code == 0
    assert json.loads(done.stdout) == room_config_schema()
    assert all(f'"{code}"' in done.stdout for code in TARGET_LANGUAGES)


def test_plugins_is_refused_in_words() -> None:
    """A command of a later version says so."""
    done = CliRunner().invoke(app, ["plugins"])

    assert done.exit_code == 1
    assert done.stderr == "palabra-agent: `plugins` is not available in this version\n"


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
    words = ["dispatch", "room", "--config", '{"default_listen": "de"}']
    done = CliRunner().invoke(app, words, env=env)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        'palabra-agent: warning: default_listen: "de" is not among the languages, which are en, es;'
        " the worker's own settings may allow it",
        f"palabra-agent: LiveKit cannot be reached at {url}: connection refused",
    ]
