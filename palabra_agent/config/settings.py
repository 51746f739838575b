"""The worker's settings: where each comes from, which source wins, and what they may be.

Lowest first: built-in defaults, the TOML file, a `.env` file, the environment, the command line.
Credentials and addresses come from the environment and `.env` alone, but for the key of encrypted
rooms, which may differ from room to room. Each mistake names the variable, option or TOML path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from palabra_agent.config.documents import read_toml
from palabra_agent.config.fields import (
    Between,
    ConfigModel,
    Name,
    Names,
    Number,
    Whole,
    refusal,
)
from palabra_agent.config.plugins import PluginKnowledge
from palabra_agent.config.problems import problems_of
from palabra_agent.config.room import layer_problems
from palabra_agent.config.wording import shown
from palabra_agent.errors import Problem, SettingsError

DEFAULT_AGENT_NAME: Final = "palabra-interpreter"
DEFAULT_IDENTITY: Final = "palabra-interpreter"
PALABRA_CLOUD: Final = "https://api.palabra.ai"


# --- the environment, and a `.env` file below it


def _address(*schemes: str) -> AfterValidator:
    """Accept an address with one of these schemes, without the slash at its end."""

    def check(value: str) -> str:
        reason = _address_mistake(value, schemes) if value else None
        if reason:
            raise refusal(reason)
        return value.rstrip("/")

    return AfterValidator(check)


def _address_mistake(value: str, schemes: Sequence[str]) -> str | None:
    allowed = f"must be an address that begins with {', '.join(f'{name}://' for name in schemes)}"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is not an address: its host or port cannot be read"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or a password"
    if parts.scheme not in schemes:
        return f"{allowed}, not {shown(value)}"
    is_text = value.isprintable() and not any(map(str.isspace, value))
    if not parts.hostname or port == 0 or not is_text:
        return f"must name a host, which {shown(value)} does not"
    if parts.query or parts.fragment:
        return "must end with its path, without ? or #"
    return None


def _required(name: str, meaning: str) -> AfterValidator:
    """Refuse a variable that is absent, empty or blank, with its meaning."""

    def check(value: str | SecretStr) -> str | SecretStr:
        if not value:
            # pydantic names a default by its field, not by its variable
            raise refusal(f"is not set; it is {meaning}", at=name)
        return value

    return AfterValidator(check)


def _variable(name: str, default: object = "") -> Any:  # noqa: ANN401 - as pydantic's own Field
    return Field(default=default, validation_alias=name, validate_default=True)


class EnvironmentSettings(BaseSettings):
    """Settings that are read from variables; an empty or blank one counts as absent."""

    model_config = SettingsConfigDict(
        case_sensitive=True,
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
    )


class LiveKitSettings(EnvironmentSettings):
    """The LiveKit server of the meetings."""

    url: Annotated[
        str,
        _required(
            "LIVEKIT_URL", "the address of the LiveKit server, such as wss://example.livekit.cloud"
        ),
        _address("ws", "wss", "http", "https"),
    ] = _variable("LIVEKIT_URL")
    api_key: Annotated[str, _required("LIVEKIT_API_KEY", "the API key of the LiveKit server")] = (
        _variable("LIVEKIT_API_KEY")
    )
    api_secret: Annotated[
        SecretStr, _required("LIVEKIT_API_SECRET", "the secret that belongs to LIVEKIT_API_KEY")
    ] = _variable("LIVEKIT_API_SECRET")


_CLIENT: Final = ("PALABRA_CLIENT_ID", "PALABRA_CLIENT_SECRET")
_EITHER_KIND: Final = "PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET, or PALABRA_API_KEY"


class PalabraSettings(EnvironmentSettings):
    """Palabra's REST API, and one kind of credentials for it: the client pair, or the key.

    The worker never falls back from one kind to the other.
    """

    api_url: Annotated[
        str, AfterValidator(lambda url: url or PALABRA_CLOUD), _address("http", "https")
    ] = _variable("PALABRA_API_URL")
    """Without a slash at its end."""
    client_id: str = _variable("PALABRA_CLIENT_ID")
    client_secret: SecretStr = _variable("PALABRA_CLIENT_SECRET")
    api_key: SecretStr = _variable("PALABRA_API_KEY")
    """Empty: the pair is used."""

    @field_validator("api_key")
    @classmethod
    def _one_kind(cls, api_key: SecretStr, info: ValidationInfo) -> SecretStr:
        pair = (info.data.get("client_id"), info.data.get("client_secret"))
        given = [name for name, value in zip(_CLIENT, pair, strict=True) if value]
        if api_key and given:
            raise refusal(
                f"is set beside {' and '.join(given)}; set only one kind of credentials: "
                f"{_EITHER_KIND}"
            )
        if not api_key and not given:
            raise refusal(f"Palabra's credentials are not set; set {_EITHER_KIND}", at="")
        if not api_key and len(given) == 1:
            (missing,) = set(_CLIENT) - set(given)
            raise refusal(f"is not set, but {given[0]} is; both are needed", at=missing)
        return api_key


class EncryptionSettings(EnvironmentSettings):
    """The one secret that the TOML file may hold as well, because rooms differ in it."""

    e2ee_key: SecretStr = _variable("PALABRA_E2EE_KEY")


class AgentNameSettings(EnvironmentSettings):
    """The one variable that means something when it is empty: join every new room."""

    model_config = SettingsConfigDict(env_ignore_empty=False, str_strip_whitespace=False)

    agent_name: str | None = _variable("PALABRA_AGENT_NAME", None)


SettingsT = TypeVar("SettingsT", bound=EnvironmentSettings)


def _from_environment(
    model: type[SettingsT], env_file: Path | None, problems: list[Problem]
) -> SettingsT | None:
    """Read one group of variables; None, and its mistakes among the problems, where it is wrong.

    Raises:
        SettingsError: The `.env` file is there and cannot be read.
    """
    try:
        return model(_env_file=env_file)  # pyright: ignore[reportCallIssue] - one of BaseSettings
    except ValidationError as error:
        problems += problems_of(error, model)
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([Problem("", f"{env_file} cannot be read: {reason}")]) from None


# --- the TOML file


def _without_spaces_around(value: str) -> str:
    if value != value.strip():
        raise refusal(f"must have no spaces at either end, not {shown(value)}")
    return value


def _no_blank_key(key: SecretStr) -> SecretStr:
    if not key.get_secret_value().strip():
        raise refusal("must not be empty; leave it out where rooms are not encrypted")
    return key


EncryptionKey = Annotated[SecretStr, AfterValidator(_no_blank_key)]


class WorkerOptions(ConfigModel):
    """The options under `[worker]` in the TOML file."""

    elsewhere: ClassVar[Mapping[str, str]] = {
        "url": "is not said here but by the variable LIVEKIT_URL",
        "livekit_url": "is not said here but by the variable LIVEKIT_URL",
        "palabra_api_url": "is not said here but by the variable PALABRA_API_URL",
        "name": 'unknown key, did you mean "agent_name"?',
        "drain": 'unknown key, did you mean "drain_seconds"?',
        "health_port": 'unknown key, did you mean "port"?',
        "plugins": "is said beside `[worker]`, in `[plugins.NAME]`; `allowed_plugins` is here",
    }

    agent_name: Annotated[str, Field(max_length=256), AfterValidator(_without_spaces_around)] = (
        DEFAULT_AGENT_NAME
    )
    """The name that a dispatch asks for; empty: every new room is joined unasked."""
    identity: Annotated[Name, AfterValidator(_without_spaces_around)] = DEFAULT_IDENTITY
    """The identity that the interpreter has in a room."""
    port: Annotated[Whole, Between(0, 65_535)] = 8081
    """Port on which health is served; 0: any free port."""
    drain_seconds: Annotated[Whole, Between(0, 604_800)] = 1_800
    """Seconds that running rooms may go on after the first signal to stop."""
    load_threshold: Annotated[Number, Between(0.01, 10)] = 0.7
    """The share of the processors in use above which no more rooms are taken; over 1: no limit."""
    allowed_plugins: Names | None = None
    """Plugins that a room may name; left out: all that are installed."""
    organisers: Names = ()
    """Identities that may change the config of every room."""
    e2ee_key: EncryptionKey | None = None
    """The passphrase that the participants of end-to-end encrypted rooms share, a secret; in
    `[[rooms]]` for some rooms. Left out: the rooms are not encrypted."""


class RoomOverride(ConfigModel):
    """One `[[rooms]]`: a part of a room config, for the rooms whose name fits."""

    match: Name
    """Room name or pattern, such as `board-*`."""
    e2ee_key: EncryptionKey | None = None
    """The passphrase of these rooms; None: as otherwise."""
    config: dict[str, Any]
    """The part, as written; checked as a room config."""


_NOT_OF_CONFIG: Final = RoomOverride.model_fields.keys() - {"config"}
"""Keys of `[[rooms]]` that are no part of a room config."""


class _Sections(ConfigModel):
    worker: dict[str, Any] = Field(default={})
    room: dict[str, Any] = Field(default={})
    rooms: tuple[dict[str, Any], ...] = ()
    plugins: dict[str, dict[str, Any]] = Field(default={})


@dataclass(frozen=True, slots=True)
class _SettingsFile:
    """The sections of the worker's file, as written."""

    sections: _Sections
    overrides: tuple[RoomOverride, ...]
    problems: tuple[Problem, ...]
    """Mistakes in the names of rooms; the rest of such a table can be checked all the same."""


def _read_file(path: Path | None) -> _SettingsFile:
    """Read the file; without one, all sections are empty.

    Raises:
        SettingsError: It cannot be read as TOML with these sections.
    """
    try:
        sections = _Sections.model_validate(read_toml(path) if path is not None else {})
    except ValidationError as error:
        raise SettingsError(problems_of(error, _Sections)) from None

    overrides: list[RoomOverride] = []
    problems: list[Problem] = []
    for index, table in enumerate(sections.rooms):
        written: dict[str, Any] = {"config": dict(table)}
        for key in _NOT_OF_CONFIG & table.keys():
            written[key] = written["config"].pop(key)
        try:
            override = RoomOverride.model_validate(written)
        except ValidationError as error:
            problems += problems_of(error, RoomOverride, ("rooms", index))
            override = RoomOverride(
                match="*", config=written["config"]
            )  # so that the rest is checked too
        overrides.append(override)
    return _SettingsFile(sections, tuple(overrides), tuple(problems))


# --- all together


class WorkerSettings(WorkerOptions):
    """All that a worker knows before it is asked into a room."""

    livekit: LiveKitSettings
    palabra: PalabraSettings
    room: dict[str, Any] = Field(default={})
    """The room config that holds for every room, as written; `[room]`."""
    rooms: tuple[RoomOverride, ...] = ()
    """Parts of a room config that hold for some rooms, in file order; `[[rooms]]`."""
    plugins: dict[str, dict[str, Any]] = Field(default={}, repr=False)
    """Each plugin's settings that a room must not choose, as written; `[plugins.NAME]`."""

    def room_layers(self, room_name: str) -> list[Mapping[str, object]]:
        """The worker's own config of a room, lowest layer first, for `parse_room_config`."""
        fitting = [each.config for each in self.rooms if fnmatchcase(room_name, each.match)]
        return [self.room, *fitting]

    def e2ee_key_of(self, room_name: str) -> SecretStr | None:
        """The passphrase with which a room is encrypted; None: it is not, as far as we know."""
        fitting = [each.e2ee_key for each in self.rooms if fnmatchcase(room_name, each.match)]
        given = [key for key in (self.e2ee_key, *fitting) if key is not None]
        return given[-1] if given else None


PluginLoader: TypeAlias = Callable[
    [Mapping[str, Mapping[str, object]], Sequence[str] | None], PluginKnowledge
]
"""Loads the plugins that `allowed_plugins` allow, with the tables `[plugins.NAME]` by name."""


def load_settings(
    *,
    config_file: Path | None = None,
    env_file: Path | None = None,
    plugins: PluginLoader | None = None,
    agent_name: str | None = None,
    port: int | None = None,
    drain_seconds: int | None = None,
) -> WorkerSettings:
    """Gather the settings from every source; what the command line leaves out is None.

    With `plugins`, their own models check what the file says of them.

    Args:
        config_file: The worker's TOML file.
        env_file: Lies below the environment; it need not be there.
        plugins: Loads them.
        agent_name: Of the command line, as are the others.
        port: Of the health server.
        drain_seconds: For running rooms.

    Raises:
        SettingsError: With every mistake of every source.
    """
    problems: list[Problem] = []
    file = _read_file(config_file)
    livekit = _from_environment(LiveKitSettings, env_file, problems)
    palabra = _from_environment(PalabraSettings, env_file, problems)
    encryption = _from_environment(EncryptionSettings, env_file, problems)
    options = _options(
        file.sections.worker,
        load_agent_name(env_file),
        {"agent_name": agent_name, "port": port, "drain_seconds": drain_seconds},
        problems,
    )
    if encryption is not None and encryption.e2ee_key:
        options = options.model_copy(update={"e2ee_key": encryption.e2ee_key})
    sections = file.sections
    known = plugins(sections.plugins, options.allowed_plugins) if plugins is not None else None
    problems += [*file.problems, *_room_problems(file, known)]
    problems += known.settings_problems() if known is not None else ()
    if problems:
        raise SettingsError(problems)
    assert livekit is not None
    assert palabra is not None
    return WorkerSettings(
        **options.model_dump(),
        livekit=livekit,
        palabra=palabra,
        room=sections.room,
        rooms=file.overrides,
        plugins=sections.plugins,
    )


def load_livekit_settings(env_file: Path | None = None) -> LiveKitSettings:
    """Read only what a command needs that talks to LiveKit and not to Palabra.

    Raises:
        SettingsError: With every variable that is missing or wrong.
    """
    problems: list[Problem] = []
    livekit = _from_environment(LiveKitSettings, env_file, problems)
    if livekit is None:
        raise SettingsError(problems)
    return livekit


def load_agent_name(env_file: Path | None = None) -> str | None:
    """Read the agent's name from the environment; None where it is not set there.

    Raises:
        SettingsError: The `.env` file is there and cannot be read.
    """
    variables = _from_environment(AgentNameSettings, env_file, [])
    return None if variables is None else variables.agent_name


def load_plugin_settings(
    config_file: Path | None,
) -> tuple[Mapping[str, Mapping[str, object]], Sequence[str] | None]:
    """Read only what loading plugins takes: their tables by name, and which are allowed.

    Raises:
        SettingsError: With every mistake of `[worker]`.
    """
    problems: list[Problem] = []
    sections = _read_file(config_file).sections
    options = _options(sections.worker, None, {}, problems)
    if problems:
        raise SettingsError(problems)
    return sections.plugins, options.allowed_plugins


def _options(
    written: Mapping[str, Any],
    agent_name: str | None,
    command_line: Mapping[str, Any],
    problems: list[Problem],
) -> WorkerOptions:
    """The options; their mistakes go to the problems, named as the winning source names them."""
    said = dict(written)
    sources: dict[str, str] = {}
    if agent_name is not None:
        said["agent_name"] = agent_name
        sources["worker.agent_name"] = "PALABRA_AGENT_NAME"
    for name, value in command_line.items():
        if value is not None:
            said[name] = value
            sources[f"worker.{name}"] = f"--{name.replace('_', '-')}"
    try:
        return WorkerOptions.model_validate(said)
    except ValidationError as error:
        found = problems_of(error, WorkerOptions, ("worker",))
        problems += [replace(it, path=sources.get(it.path, it.path)) for it in found]
        return WorkerOptions()


def _room_problems(file: _SettingsFile, plugins: PluginKnowledge | None) -> list[Problem]:
    """The mistakes in `[room]`, and in each `[[rooms]]` laid over it alone."""
    room = file.sections.room
    problems = layer_problems(room, prefix=("room",), plugins=plugins)
    for index, override in enumerate(file.overrides):
        prefix = ("rooms", index)
        inherited = layer_problems(room, prefix=prefix, plugins=plugins)
        found = layer_problems(override.config, below=(room,), prefix=prefix, plugins=plugins)
        problems += [problem for problem in found if problem not in inherited]
    return problems
