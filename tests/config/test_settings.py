"""The worker's settings: sources, precedence and every mistake in words."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from palabra_agent.config.room import parse_room_config
from palabra_agent.config.settings import (
    PluginLoader,
    WorkerSettings,
    load_livekit_settings,
    load_plugin_settings,
    load_settings,
)
from palabra_agent.errors import SettingsError
from palabra_agent.plugins_host.catalog import load_plugins
from tests.environment import environment
from tests.plugins_host.installed import broken, entry
from tests.problems import mistakes_in, refused

pytestmark = pytest.mark.unit

LIVEKIT = {
    "LIVEKIT_URL": "wss://example.livekit.cloud",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "very-private-one",
}
CLIENT = {"PALABRA_CLIENT_ID": "client", "PALABRA_CLIENT_SECRET": "very-private-two"}
ENV = LIVEKIT | CLIENT


class CommandLine(TypedDict, total=False):
    """Options that win over every other source."""

    agent_name: str | None
    host: str | None
    port: int | None
    drain_seconds: int | None


def write(folder: Path, text: str) -> Path:
    """Write a file of settings."""
    file = folder / "worker.toml"
    file.write_text(text, encoding="utf-8")
    return file


def load(
    env: Mapping[str, str] = ENV,
    config_file: Path | None = None,
    env_file: Path | None = None,
    plugins: PluginLoader | None = None,
    **command_line: Unpack[CommandLine],
) -> WorkerSettings:
    """Load settings in an environment."""
    with environment(env):
        return load_settings(
            config_file=config_file, env_file=env_file, plugins=plugins, **command_line
        )


def mistakes(env: Mapping[str, str] = ENV, file: Path | None = None) -> list[str]:
    """The mistakes in variables and file, in words."""
    return mistakes_in(lambda: load(env, file))


def test_the_environment_is_enough() -> None:
    """Without a file, five variables make a worker, everything else has its default."""
    settings = load(ENV)
    assert settings.livekit.url == "wss://example.livekit.cloud"
    assert settings.livekit.api_key == "key"
    assert settings.livekit.api_secret.get_secret_value() == "very-private-one"
    palabra = settings.palabra
    assert palabra.api_url == "https://api.palabra.ai"
    assert palabra.client_id == "client"
    assert palabra.client_secret.get_secret_value() == "very-private-two"
    assert not palabra.api_key
    assert settings.agent_name == settings.identity == "palabra-interpreter"
    assert (settings.host, settings.port) == ("", 8081)
    assert (settings.drain_seconds, settings.load_threshold) == (1800, 0.7)
    assert settings.allowed_plugins is None
    assert settings.organisers == ()
    assert settings.plugins == {}
    assert settings.room_layers("any") == [{}]


def test_an_api_key_is_enough() -> None:
    """The newer kind of credentials works alone, and empty variables count as absent."""
    env = {**LIVEKIT, "PALABRA_API_KEY": " private ", "PALABRA_CLIENT_ID": "", "X": "y"}
    palabra = load(env).palabra
    assert palabra.api_key.get_secret_value() == "private"
    assert palabra.client_id == ""


def test_secrets_are_not_printed() -> None:
    """Neither the settings nor a copy for another process show a secret when they are printed."""
    settings = load(ENV)
    assert "private" not in f"{settings!r} {settings}"
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


ENCRYPTED = """
    [worker]
    e2ee_key = "private to the house"
    [[rooms]]
    match = "board-*"
    e2ee_key = "private to the board"
    languages = ["fr"]
    [[rooms]]
    match = "board-1"
    languages = ["de"]
    """


@pytest.mark.parametrize(
    ("env", "room", "expected"),
    [
        ({}, "lobby", "private to the house"),
        ({}, "board-1", "private to the board"),
        ({"PALABRA_E2EE_KEY": " "}, "lobby", "private to the house"),
        ({"PALABRA_E2EE_KEY": "private of now"}, "lobby", "private of now"),
        ({"PALABRA_E2EE_KEY": "private of now"}, "board-1", "private to the board"),
    ],
)
def test_encrypted_rooms_have_their_key(
    tmp_path: Path, env: Mapping[str, str], room: str, expected: str
) -> None:
    """That of the room, else the variable's, else the worker's; no printed settings show one."""
    settings = load({**ENV, **env}, write(tmp_path, ENCRYPTED))
    key = settings.e2ee_key_of(room)

    assert key is not None
    assert key.get_secret_value() == expected
    assert "private" not in f"{settings!r} {settings} {key}"
    assert all("e2ee_key" not in layer for layer in settings.room_layers(room))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


CEILINGS = """
    [ceilings]
    max_speakers = 30
    locked = ["organisers"]
    [worker]
    allowed_plugins = ["voices"]
    [[rooms]]
    match = "board-*"
    ceilings = {max_speakers = 60, locked = []}
    limits = {max_languages = 40}
    [[rooms]]
    match = "board-1"
    [rooms.ceilings]
    max_minutes = 90
    """


@pytest.mark.parametrize(
    ("room", "highest", "locked"),
    [
        ("lobby", {"max_speakers": 30, "max_languages": 20}, {"organisers"}),
        ("board-2", {"max_speakers": 60, "max_languages": 40}, set[str]()),
        ("board-1", {"max_speakers": 60, "max_languages": 40, "max_minutes": 90}, set[str]()),
    ],
)
def test_rooms_have_their_ceilings(
    tmp_path: Path, room: str, highest: dict[str, float], locked: set[str]
) -> None:
    """`[ceilings]` in all, `[[rooms]]` where the name fits; own limits raise them."""
    settings = load(ENV, write(tmp_path, CEILINGS))
    ceilings = settings.ceilings_of(room, with_settings=("voices", "export"))

    assert ceilings.highest == highest
    assert ceilings.locked == locked
    assert ceilings.locked_plugins == {"export"}
    assert all("ceilings" not in layer for layer in settings.room_layers(room))
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


def test_a_worker_has_ceilings_without_a_file() -> None:
    """Neither speakers nor languages without number, and nothing that Palabra does not document."""
    ceilings = load(ENV).ceilings_of("any")

    assert ceilings.highest == {"max_speakers": 100, "max_languages": 20}
    assert ceilings.locked == {"palabra.undocumented", "palabra.preprocessing"}


def test_a_lock_on_a_plugin_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Whichever table it stands in."""
    file = write(
        tmp_path,
        """
        [ceilings]
        locked_plugins = ["voices", "dairy"]
        [[rooms]]
        match = "*"
        ceilings = {locked_plugins = ["x"], locked = ["palabra.y"]}
        """,
    )

    assert plugin_mistakes(file, entry("voices"), entry("diary")) == [
        'ceilings.locked_plugins[1]: "dairy" is not installed',
        'rooms[0].ceilings.locked[0]: "palabra.y" is no key of the room config',
        'rooms[0].ceilings.locked_plugins[0]: "x" is not installed',
    ]


def test_rooms_are_not_encrypted_unless_it_is_said() -> None:
    """A worker that knows no key joins them all without."""
    assert load(ENV).e2ee_key_of("board-1") is None


@pytest.mark.parametrize(
    ("toml", "env", "word"),
    [
        ('[worker]\ne2ee_key = ""', {}, "worker.e2ee_key: must not be empty"),
        ('[worker]\ne2ee_key = "  "', {}, "worker.e2ee_key: must not be empty"),
        ("[worker]\ne2ee_key = 4711", {}, "worker.e2ee_key: must be a string, not that"),
        ('[worker]\ne2ee_key = ["private"]', {}, "worker.e2ee_key: must be a string, not that"),
        ('[[rooms]]\nmatch = "*"\ne2ee_key = 4711', {}, "rooms[0].e2ee_key: must be a string"),
        ('[[rooms]]\nmatch = "*"\ne2ee_key = ""', {}, "rooms[0].e2ee_key: must not be empty"),
        ('[room]\ne2ee_key = "private"', {}, "room.e2ee_key: is a secret, and others can read"),
        ("", {"PALABRA_E2EE_KEY": "\udcff"}, "PALABRA_E2EE_KEY: "),
    ],
)
def test_a_key_that_is_none_is_told_in_one_sentence(
    tmp_path: Path, toml: str, env: Mapping[str, str], word: str
) -> None:
    """Which never holds it."""
    (sentence,) = mistakes({**ENV, **env}, write(tmp_path, toml))

    assert sentence.startswith(word)
    assert "private" not in sentence
    assert "4711" not in sentence


@pytest.mark.parametrize(
    ("toml", "env", "command_line", "expected"),
    [
        (None, None, None, "palabra-interpreter"),
        ("one", None, None, "one"),
        ("one", "two", None, "two"),
        ("one", "two", "three", "three"),
        ("one", None, "three", "three"),
        ("one", "", None, ""),
        (None, "two", "", ""),
    ],
)
def test_the_nearest_source_wins(
    tmp_path: Path, toml: str | None, env: str | None, command_line: str | None, expected: str
) -> None:
    """Command line over environment over file over default; an empty agent name is a value."""
    file = None if toml is None else write(tmp_path, f'[worker]\nagent_name = "{toml}"')
    variables = ENV if env is None else {**ENV, "PALABRA_AGENT_NAME": env}
    settings = load(variables, config_file=file, agent_name=command_line)
    assert settings.agent_name == expected


def test_a_file_says_all_the_rest(tmp_path: Path) -> None:
    """Every option of `[worker]` is read, and the command line wins over port and drain."""
    file = write(
        tmp_path,
        """
        [worker]
        agent_name = "a"
        identity = "b"
        host = "::1"
        port = 0
        drain_seconds = 5
        load_threshold = 1
        allowed_plugins = ["voice-timbre"]
        organisers = ["olga", "otto"]
        """,
    )
    settings = load(ENV, file)
    assert (settings.agent_name, settings.identity) == ("a", "b")
    assert (settings.host, settings.port) == ("::1", 0)
    assert (settings.drain_seconds, settings.load_threshold) == (5, 1.0)
    assert settings.allowed_plugins == ("voice-timbre",)
    assert settings.organisers == ("olga", "otto")

    settings = load(ENV, file, host="127.0.0.1", port=9000, drain_seconds=0)
    assert (settings.host, settings.port, settings.drain_seconds) == ("127.0.0.1", 9000, 0)


@pytest.mark.parametrize(
    ("env", "words"),
    [
        (
            CLIENT,
            [
                "LIVEKIT_URL: is not set; it is the address of the LiveKit server, such as "
                "wss://example.livekit.cloud",
                "LIVEKIT_API_KEY: is not set; it is the API key of the LiveKit server",
                "LIVEKIT_API_SECRET: is not set; it is the secret that belongs to LIVEKIT_API_KEY",
            ],
        ),
        (
            {**LIVEKIT, "LIVEKIT_API_SECRET": " "},
            [
                "LIVEKIT_API_SECRET: is not set; it is the secret that belongs to LIVEKIT_API_KEY",
                "Palabra's credentials are not set; set PALABRA_CLIENT_ID and "
                "PALABRA_CLIENT_SECRET, or PALABRA_API_KEY",
            ],
        ),
        (
            {**LIVEKIT, "PALABRA_CLIENT_ID": "client"},
            [
                "PALABRA_CLIENT_SECRET: is not set, but PALABRA_CLIENT_ID is; both are needed",
            ],
        ),
        (
            {**LIVEKIT, "PALABRA_CLIENT_SECRET": "private"},
            ["PALABRA_CLIENT_ID: is not set, but PALABRA_CLIENT_SECRET is; both are needed"],
        ),
        (
            {**ENV, "PALABRA_API_KEY": "private"},
            [
                "PALABRA_API_KEY: is set beside PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET; "
                "set only one kind of credentials: PALABRA_CLIENT_ID and "
                "PALABRA_CLIENT_SECRET, or PALABRA_API_KEY",
            ],
        ),
        (
            {**LIVEKIT, "PALABRA_API_KEY": "private", "PALABRA_CLIENT_ID": "client"},
            [
                "PALABRA_API_KEY: is set beside PALABRA_CLIENT_ID; set only one kind of "
                "credentials: PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET, or PALABRA_API_KEY",
            ],
        ),
        (
            {**ENV, "LIVEKIT_URL": "example.livekit.cloud"},
            [
                "LIVEKIT_URL: must be an address that begins with wss://, ws://, https://, http://",
            ],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://", "PALABRA_API_URL": "wss://api"},
            [
                "LIVEKIT_URL: must name a host, and a port only from 1 to 65535",
                "PALABRA_API_URL: must be an address that begins with https://, http://",
            ],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://a b"},
            ["LIVEKIT_URL: must be an address without spaces and line breaks"],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://host\x07"},
            ["LIVEKIT_URL: must be an address without spaces and line breaks"],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://me:private@host"},
            ["LIVEKIT_URL: must not hold a user or a password"],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://host:private"},
            ["LIVEKIT_URL: is not an address: its host or port cannot be read"],
        ),
        (
            {**ENV, "LIVEKIT_URL": "wss://[host"},
            ["LIVEKIT_URL: is not an address: its host or port cannot be read"],
        ),
        (
            {**ENV, "PALABRA_API_URL": "http://host/?token=private"},
            ["PALABRA_API_URL: must end with its path, without ? or #"],
        ),
        (
            {**ENV, "LIVEKIT_URL": "ws://livekit.example", "PALABRA_API_URL": "http://10.0.0.1"},
            [
                "LIVEKIT_URL: must begin with wss://, as what is said there could be read on the"
                " way; set PALABRA_ALLOW_PLAIN_ADDRESSES=true where no stranger is on it",
                "PALABRA_API_URL: must begin with https://, as what is said there could be read on"
                " the way; set PALABRA_ALLOW_PLAIN_ADDRESSES=true where no stranger is on it",
            ],
        ),
        (
            {**ENV, "PALABRA_ALLOW_PLAIN_ADDRESSES": "perhaps"},
            ['PALABRA_ALLOW_PLAIN_ADDRESSES: must be true or false, not "perhaps"'],
        ),
        (
            {**ENV, "PALABRA_AGENT_NAME": " "},
            ['PALABRA_AGENT_NAME: must have no spaces at either end, not " "'],
        ),
    ],
)
def test_each_wrong_variable_is_told_in_words(env: dict[str, str], words: list[str]) -> None:
    """All wrong variables are named at once, and no secret is in what is said."""
    assert mistakes(env) == words
    assert "private" not in " ".join(words)


@pytest.mark.parametrize("url", ["ws://h", "wss://h:7880", "http://127.0.0.1:7880/", "HTTPS://h/x"])
def test_livekit_addresses(url: str) -> None:
    """LiveKit may be named by any of four schemes; a slash at the end does not matter."""
    assert load({**ENV, "LIVEKIT_URL": url}).livekit.url == url.rstrip("/")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8090", "http://localhost", "http://[::1]:1"])
def test_this_machine_is_asked_without_tls(url: str) -> None:
    """What is said to it goes over no network."""
    assert load({**ENV, "PALABRA_API_URL": url}).palabra.api_url == url


def test_plain_addresses_are_allowed_by_their_variable() -> None:
    """Of both servers, and of sessions; by default they are not."""
    plain = {"LIVEKIT_URL": "ws://livekit.example", "PALABRA_API_URL": "http://api.example"}
    settings = load({**ENV, **plain, "PALABRA_ALLOW_PLAIN_ADDRESSES": "true"})

    assert settings.palabra.allow_plain_addresses
    assert not load(ENV).palabra.allow_plain_addresses


def test_livekit_alone() -> None:
    """A command that never talks to Palabra needs no credentials for it."""
    with environment(LIVEKIT):
        assert load_livekit_settings().api_key == "key"
    with environment({}), pytest.raises(SettingsError, match="LIVEKIT_URL: is not set"):
        load_livekit_settings()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[worker]\nprot = 1", ['worker.prot: unknown key, did you mean "port"?']),
        (
            "[worker]\nhealth_port = 1",
            ['worker.health_port: unknown key, did you mean "port"?'],
        ),
        ('[worker]\nport = "1"', ['worker.port: must be a whole number, not "1"']),
        ("[worker]\nport = 70000", ["worker.port: must be between 0 and 65535, not 70000"]),
        ("[worker]\nport = true", ["worker.port: must be a whole number, not true"]),
        (
            '[worker]\nhost = "health.local"',
            [
                "worker.host: must be an IP address of this machine, such as 127.0.0.1, or empty "
                'for all of them, not "health.local"'
            ],
        ),
        ("[worker]\nhost = 0", ["worker.host: must be a string, not 0"]),
        (
            "[ceilings]\nmax_speakers = 0\nmax_minute = 5\nlocked = ['limit']\n[worker]\nport = -1",
            [
                "worker.port: must be between 0 and 65535, not -1",
                "ceilings.max_speakers: must be at least 1, not 0",
                'ceilings.max_minute: unknown key, did you mean "max_minutes"?',
            ],
        ),
        (
            "[ceilings]\nlocked = ['limit']",
            ['ceilings.locked[0]: "limit" is no key of the room config, did you mean "limits"?'],
        ),
        (
            "[[rooms]]\nmatch = '*'\nceilings = {max_minutes = 0}",
            ["rooms[0].ceilings.max_minutes: must be between 0.001 and 44640, not 0"],
        ),
        (
            "[room]\nceilings = {}\n[worker.ceilings]",
            [
                "worker.ceilings: is said beside `[worker]`, in `[ceilings]`",
                "room.ceilings: belongs in the worker's file of settings, in `[ceilings]` or "
                "`[[rooms]]`",
            ],
        ),
        (
            "[worker]\nport = 2024-01-01",
            ["worker.port: must be a whole number, not a date"],
        ),
        (
            "[worker]\ndrain_seconds = -1\nload_threshold = nan",
            [
                "worker.drain_seconds: must be between 0 and 604800, not -1",
                "worker.load_threshold: must be a finite number, not NaN",
            ],
        ),
        ('[worker]\nidentity = ""', ["worker.identity: must not be empty"]),
        (
            '[worker]\nidentity = " a"',
            ['worker.identity: must have no spaces at either end, not " a"'],
        ),
        (
            '[worker]\nlivekit_api_secret = "private"',
            [
                "worker.livekit_api_secret: credentials are never accepted from a room or a "
                "file of settings; they belong in the worker's environment"
            ],
        ),
        ('[worker]\norganisers = ["o", "o"]', ['worker.organisers: "o" is given twice']),
        ('[worker]\norganisers = "o"', ['worker.organisers: must be a list, not "o"']),
        (
            "[worker.plugins.voices]",
            [
                "worker.plugins: is said beside `[worker]`, in `[plugins.NAME]`; "
                "`allowed_plugins` is here"
            ],
        ),
        ("plugins = 1", ["plugins: must be an object, not 1"]),
        ("plugins = ['voices']", ["plugins: must be an object, not a list"]),
        ("[plugins]\nvoices = 'x'", ['plugins.voices: must be an object, not "x"']),
        ("[[plugins.voices]]", ["plugins.voices: must be an object, not a list"]),
        ("[plugins]\napi_token = 'private'", ["plugins.api_token: must be an object, not that"]),
        (
            '[worker]\nallowed_plugins = ["a", "b", "a"]',
            ['worker.allowed_plugins: "a" is given twice'],
        ),
        (
            '[worker]\nlivekit_url = "ws://h"',
            ["worker.livekit_url: is not said here but by the variable LIVEKIT_URL"],
        ),
        ("[wroker]", ['wroker: unknown key, did you mean "worker"?']),
        ("worker = 1", ["worker: must be an object, not 1"]),
        ("rooms = 1", ["rooms: must be a list, not 1"]),
        ("[rooms]\nmatch = 'a'", ["rooms: must be a list, not an object"]),
        (
            '[room]\nlanguages = ["vn"]\nxyzzy = []',
            [
                'room.languages[0]: "vn" is not a known language, did you mean "vi"? '
                "`palabra-agent schema` lists the codes",
                "room.xyzzy: unknown key; known are always_on, languages, default_listen, "
                "limits, source_language, spoken_languages, speakers, microphone_sources, "
                "channels, captions, chat, disclosure, plugins, organisers, palabra",
            ],
        ),
        (
            '[room]\nchannels = "??"\n[[rooms]]\nmatch = "a"\n[rooms.palabra]\ntransport = "udp"',
            [
                'room.channels: must be "per_language" or "per_speaker", not "??"',
                'rooms[0].palabra.transport: must be "webrtc", "websocket" or "auto", not "udp"',
            ],
        ),
        (
            '[[rooms]]\nalways_on = ["fr"]\nlanguages = ["de"]',
            [
                "rooms[0].match: is missing",
                'rooms[0].always_on: "fr" is not among the languages, which are de',
            ],
        ),
        (
            '[room]\nlanguages = ["fr"]\n[[rooms]]\nmatch = "*"\ndefault_listen = "de"',
            ['rooms[0].default_listen: "de" is not among the languages, which are fr'],
        ),
    ],
)
def test_each_mistake_in_the_file_is_told_in_words(
    tmp_path: Path, toml: str, words: list[str]
) -> None:
    """A wrong TOML value is named by its path, with what is allowed."""
    assert mistakes(file=write(tmp_path, toml)) == words


def test_mistakes_of_all_sources_come_together(tmp_path: Path) -> None:
    """Environment, command line, file and room defaults are reported in one go, by their names."""
    file = write(tmp_path, "[worker]\nport = -1\ndrain_seconds = -2\n[room]\nx = 1")
    command_line: CommandLine = {"port": -5, "host": "x"}
    problems = refused(lambda: load({**CLIENT, "LIVEKIT_API_KEY": "k"}, file, **command_line))
    assert [problem.path for problem in problems] == [
        "LIVEKIT_URL",
        "LIVEKIT_API_SECRET",
        "--host",
        "--port",
        "worker.drain_seconds",
        "room.x",
    ]


TABLES = """
[plugins.diary]
folder = "here"
password = "very-private-three"
[plugins."acme.voices"]
"""


def load_with_plugins(file: Path, *entries: EntryPoint) -> WorkerSettings:
    """Load settings where these plugins are installed."""
    with_these = partial(load_plugins, entry_points=entries)
    return load(ENV, file, plugins=with_these)


def plugin_mistakes(file: Path, *entries: EntryPoint) -> list[str]:
    """What is wrong then, in words."""
    return mistakes_in(lambda: load_with_plugins(file, *entries))


def test_what_plugins_are_told_is_kept_as_written(tmp_path: Path) -> None:
    """It reaches other processes, and is not printed with the settings."""
    acme = entry("acme.voices", "tests.good_plugins.voices:plugin")
    settings = load_with_plugins(write(tmp_path, TABLES), entry("diary"), acme)

    assert settings.plugins["diary"]["password"] == "very-private-three"
    assert settings.plugins["acme.voices"] == {}
    assert "very-private" not in f"{settings!r} {settings}"
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes
    assert load_plugin_settings(write(tmp_path, TABLES)) == (settings.plugins, None)


def test_what_plugins_are_told_is_checked_at_the_start(tmp_path: Path) -> None:
    """Their mistakes stand beside all others, and so do those of every room's plugins."""
    text = """
    [worker]
    allowed_plugins = ["diary", "voices", "zebra"]
    prot = 1
    [plugins.dairy]
    [plugins.diary]
    folder = 5
    password = 7
    [room]
    plugins = [{name = "voices", config = {steps = 0}}, {name = "diary"}]
    [[rooms]]
    match = "board-*"
    plugins = [{name = "voice"}]
    [[rooms]]
    match = "*"
    channels = "??"
    """
    told = plugin_mistakes(write(tmp_path, text), entry("diary"), entry("voices"))

    assert told == [
        'worker.prot: unknown key, did you mean "port"?',
        "room.plugins[0].config.steps: must be at least 1, not 0",
        'room.plugins[1].name: "diary" cannot be used: what the worker\'s settings say of it is '
        "wrong",
        'rooms[0].plugins[0].name: "voice" is not installed, did you mean "voices"?',
        'rooms[1].channels: must be "per_language" or "per_speaker", not "??"',
        "plugins.diary.folder: must be a string, not 5",
        "plugins.diary.password: must be a string, not that",
        'plugins.dairy: "dairy" is not installed, did you mean "diary"?',
    ]


def test_the_allow_list_holds_for_the_workers_own_rooms(tmp_path: Path) -> None:
    """Whoever says what a room has, it may have no more than is allowed."""
    text = """
    [worker]
    allowed_plugins = ["diary"]
    [room]
    plugins = [{name = "voices"}]
    """

    assert plugin_mistakes(write(tmp_path, text), entry("diary"), entry("voices")) == [
        'room.plugins[0].name: "voices" is not allowed here; allowed are diary'
    ]


def test_a_plugin_that_fails_stops_no_worker(tmp_path: Path) -> None:
    """It is for a room that names it to be refused."""
    file = write(tmp_path, "[plugins.no_recipe]\nany = 1")

    assert load_with_plugins(file, broken("no_recipe")).plugins == {"no_recipe": {"any": 1}}


def test_only_what_is_for_plugins_can_be_read(tmp_path: Path) -> None:
    """That takes no environment; a mistake of `[worker]` is told all the same."""
    assert load_plugin_settings(None) == ({}, None)
    file = write(tmp_path, "[worker]\nallowed_plugins = ['a']\n[plugins.a]\nx = 1")
    assert load_plugin_settings(file) == ({"a": {"x": 1}}, ("a",))
    with pytest.raises(SettingsError, match=r"worker\.allowed_plugins: must be a list, not 1"):
        load_plugin_settings(write(tmp_path, "[worker]\nallowed_plugins = 1"))


def layered(tmp_path: Path) -> WorkerSettings:
    """Load settings with room defaults and two overrides."""
    file = write(
        tmp_path,
        """
        [room]
        languages = ["en", "de"]
        [room.chat]
        enabled = false
        [[rooms]]
        match = "board-*"
        languages = ["fr"]
        [[rooms]]
        match = "board-secret"
        [rooms.chat]
        audience = "original"
        """,
    )
    return load(ENV, file)


@pytest.mark.parametrize(
    ("room", "languages", "audience"),
    [
        ("lobby", ("en", "de"), "language"),
        ("Board-1", ("en", "de"), "language"),
        ("board-1", ("fr",), "language"),
        ("board-secret", ("fr",), "original"),
    ],
)
def test_rooms_get_their_layers(
    tmp_path: Path, room: str, languages: tuple[str, ...], audience: str
) -> None:
    """`[room]` holds everywhere, `[[rooms]]` where the name fits, the later over the earlier."""
    settings = layered(tmp_path)
    config = parse_room_config("", layers=settings.room_layers(room))
    assert config.languages == languages
    assert config.chat.audience == audience
    assert config.chat.enabled is False
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


def test_metadata_wins_over_layers(tmp_path: Path) -> None:
    """What a dispatch says is laid over what the worker says, key by key."""
    layers = layered(tmp_path).room_layers("board-secret")
    config = parse_room_config('{"chat": {"audience": "everyone"}}', layers=layers)
    assert (config.chat.enabled, config.chat.audience) == (False, "everyone")


def test_the_environment_lies_over_a_dotenv_file(tmp_path: Path) -> None:
    """`.env` fills in what the environment leaves absent or empty, but for the agent name."""
    file = tmp_path / ".env"
    file.write_text(
        "LIVEKIT_URL=ws://file\nLIVEKIT_API_KEY=file\nLIVEKIT_API_SECRET=' file '\n"
        "PALABRA_AGENT_NAME=file\nPALABRA_API_URL\nOTHER=file\n",
        encoding="utf-8",
    )
    env = {**CLIENT, "LIVEKIT_URL": "ws://env", "LIVEKIT_API_KEY": ""}
    settings = load(env, env_file=file)

    assert settings.livekit.url == "ws://env"
    assert settings.livekit.api_key == "file"
    assert settings.livekit.api_secret.get_secret_value() == "file"
    assert settings.palabra.api_url == "https://api.palabra.ai"
    assert settings.agent_name == "file"
    assert load({**env, "PALABRA_AGENT_NAME": ""}, env_file=file).agent_name == ""
    assert load({**env, "PALABRA_AGENT_NAME": "env"}, env_file=file).agent_name == "env"


def test_a_wrong_value_in_a_dotenv_file_is_told_by_its_variable(tmp_path: Path) -> None:
    """As if the environment had it, and without the secret beside it."""
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfLIVEKIT_URL=private.example\nPALABRA_API_KEY=very-private\n")
    told = mistakes_in(lambda: load({**CLIENT, **LIVEKIT, "LIVEKIT_URL": ""}, env_file=file))

    assert told == [
        "LIVEKIT_URL: must be an address that begins with wss://, ws://, https://, http://",
        "PALABRA_API_KEY: is set beside PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET; set only one "
        "kind of credentials: PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET, or PALABRA_API_KEY",
    ]


def test_a_dotenv_file_may_be_missing_but_not_unreadable(tmp_path: Path) -> None:
    """Without the file the environment stands alone; one that is no text is told in words."""
    assert load(env_file=tmp_path / ".env").livekit.api_key == "key"
    file = tmp_path / "binary"
    file.write_bytes(b"\xff\xfe\xff")
    assert mistakes_in(lambda: load(env_file=file)) == [
        f"{file} cannot be read: it is not UTF-8 text"
    ]
