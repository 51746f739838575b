"""The worker's settings: where each comes from, which source wins, and what they may be.

Lowest first: built-in defaults, the TOML file, a `.env` file, the environment, the command line.
Credentials and addresses come from the environment and `.env` alone, but for the key of encrypted
rooms, which may differ from room to room. Each mistake names the variable, option or TOML path.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from ipaddress import ip_address
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

from palabra_agent.addresses import (
    is_of_own_network,
    mistake_of,
    plain_mistake,
)
from palabra_agent.config.ceilings import Ceilings, RoomCeilings, unknown_locks
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
from palabra_agent.config.room import RoomConfig, layer_problems
from palabra_agent.config.wording import Path as Place
from palabra_agent.config.wording import path_text, shown
from palabra_agent.errors import Problem, SettingsError

DEFAULT_AGENT_NAME: Final = "palabra-interpreter"
DEFAULT_IDENTITY: Final = "palabra-interpreter"
PALABRA_CLOUD: Final = "https://api.palabra.ai"


# --- the environment, and a `.env` file below it


def _address(*schemes: str, is_plain_on_own_network: bool = False) -> AfterValidator:
    """Accept an address with one of these schemes, without the slash at its end.

    Args:
        schemes: The first is the one to use.
        is_plain_on_own_network: Whether one without TLS may be in a private network unasked.
    """

    def check(value: str, info: ValidationInfo) -> str:
        reason = mistake_of(value, schemes) if value else None
        if reason is None and urlsplit(value).query + urlsplit(value).fragment:
            reason = "must end with its path, without ? or #"
        is_own = is_plain_on_own_network and reason is None and is_of_own_network(value)
        if not is_own and not info.data.get("allow_plain_addresses"):
            reason = reason or plain_mistake(value)
        if reason:
            raise refusal(reason)
        return value.rstrip("/")

    return AfterValidator(check)


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


class Addresses(EnvironmentSettings):
    """The one switch of all addresses."""

    allow_plain_addresses: bool = _variable("PALABRA_ALLOW_PLAIN_ADDRESSES", default=False)
    """Whether addresses may be without TLS, beyond this machine."""


class LiveKitSettings(Addresses):
    """The LiveKit server of the meetings.

    One in a private network may be asked without TLS: it is the operator's own. Sound, and all data
    of an encrypted room, are encrypted all the same.
    """

    url: Annotated[
        str,
        _required(
            "LIVEKIT_URL", "the address of the LiveKit server, such as wss://example.livekit.cloud"
        ),
        _address("wss", "ws", "https", "http", is_plain_on_own_network=True),
    ] = _variable("LIVEKIT_URL")
    api_key: Annotated[str, _required("LIVEKIT_API_KEY", "the API key of the LiveKit server")] = (
        _variable("LIVEKIT_API_KEY")
    )
    api_secret: Annotated[
        SecretStr, _required("LIVEKIT_API_SECRET", "the secret that belongs to LIVEKIT_API_KEY")
    ] = _variable("LIVEKIT_API_SECRET")


_CLIENT: Final = ("PALABRA_CLIENT_ID", "PALABRA_CLIENT_SECRET")
_EITHER_KIND: Final = "PALABRA_CLIENT_ID and PALABRA_CLIENT_SECRET, or PALABRA_API_KEY"


class PalabraSettings(Addresses):
    """Palabra's REST API, and one kind of credentials for it: the client pair, or the key.

    The worker never falls back from one kind to the other.
    """

    api_url: Annotated[
        str, AfterValidator(lambda url: url or PALABRA_CLOUD), _address("https", "http")
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
        problems += [it for it in problems_of(error, model) if it not in problems]
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([Problem("", f"{env_file} cannot be read: {reason}")]) from None


# --- the TOML file


def _without_spaces_around(value: str) -> str:
    if value != value.strip():
        raise refusal(f"must have no spaces at either end, not {shown(value)}")
    return value


def _bind_address(value: str) -> str:
    if not value:
        return value

    try:
        return str(ip_address(value))
    except ValueError:
        allowed = "an IP address of this machine, such as 127.0.0.1, or empty for all of them"
        raise refusal(f"must be {allowed}, not {shown(value)}") from None


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
        "allow_plain_addresses": "is not said here but by the variable "
        "PALABRA_ALLOW_PLAIN_ADDRESSES",
        "name": 'unknown key, did you mean "agent_name"?',
        "drain": 'unknown key, did you mean "drain_seconds"?',
        "health_host": 'unknown key, did you mean "host"?',
        "health_port": 'unknown key, did you mean "port"?',
        "ceilings": "is said beside `[worker]`, in `[ceilings]`",
        "plugins": "is said beside `[worker]`, in `[plugins.NAME]`; `allowed_plugins` is here",
    }

    agent_name: Annotated[str, Field(max_length=256), AfterValidator(_without_spaces_around)] = (
        DEFAULT_AGENT_NAME
    )
    """The name that a dispatch asks for; empty: every new room is joined unasked."""
    identity: Annotated[Name, AfterValidator(_without_spaces_around)] = DEFAULT_IDENTITY
    """The identity that the interpreter has in a room, with a number such as `-2` after it where a
    guest took that one. Give no participant a token for any of them."""
    host: Annotated[str, AfterValidator(_bind_address)] = ""
    """IP address on which health is served; empty: all of this machine's."""
    port: Annotated[Whole, Between(0, 65_535)] = 8081
    """Port on which health is served; 0: any free port."""
    drain_seconds: Annotated[Whole, Between(0, 604_800)] = 1_800
    """Seconds that running rooms may go on after the first signal to stop."""
    load_threshold: Annotated[Number, Between(0.01, 10)] = 0.7
    """The share of the processors in use above which no more rooms are taken; over 1: no limit."""
    allowed_plugins: Names | None = None
    """Plugins that a room may name; left out: all that are installed, but those with settings of
    the operator's in rooms alone whose `[room]` or `[[rooms]]` names them."""
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
    ceilings: Ceilings | None = None
    """What differs for these rooms from `[ceilings]`."""
    config: dict[str, Any]
    """The part, as written; checked as a room config."""


_NOT_OF_CONFIG: Final = RoomOverride.model_fields.keys() - {"config"}
"""Keys of `[[rooms]]` that are no part of a room config."""


class _Sections(ConfigModel):
    worker: dict[str, Any] = Field(default={})
    ceilings: dict[str, Any] = Field(default={})
    room: dict[str, Any] = Field(default={})
    rooms: tuple[dict[str, Any], ...] = ()
    plugins: dict[str, dict[str, Any]] = Field(default={})


@dataclass(frozen=True, slots=True)
class _SettingsFile:
    """The sections of the worker's file, as written."""

    sections: _Sections
    ceilings: Ceilings
    overrides: tuple[RoomOverride, ...]
    problems: tuple[Problem, ...]
    """Mistakes in the ceilings, and in what is no part of a room config in `[[rooms]]`: the rest of
    such a table can be checked all the same."""


def _read_file(path: Path | None) -> _SettingsFile:
    """Read the file; without one, all sections are empty.

    Raises:
        SettingsError: It cannot be read as TOML with these sections.
    """
    try:
        sections = _Sections.model_validate(read_toml(path) if path is not None else {})
    except ValidationError as error:
        raise SettingsError(problems_of(error, _Sections)) from None

    problems: list[Problem] = []
    ceilings = _ceilings(sections.ceilings, problems)
    overrides = [_override(each, at, problems) for at, each in enumerate(sections.rooms)]
    return _SettingsFile(sections, ceilings, tuple(overrides), tuple(problems))


def _ceilings(written: Mapping[str, Any], problems: list[Problem]) -> Ceilings:
    """The ceilings; their mistakes go to the problems."""
    try:
        return Ceilings.model_validate(written)
    except ValidationError as error:
        problems += problems_of(error, Ceilings, ("ceilings",))
        return Ceilings()


def _override(table: Mapping[str, Any], index: int, problems: list[Problem]) -> RoomOverride:
    """One `[[rooms]]`; mistakes in what is no room config of it go to the problems."""
    written: dict[str, Any] = {"config": dict(table)}
    for key in _NOT_OF_CONFIG & table.keys():
        written[key] = written["config"].pop(key)
    try:
        return RoomOverride.model_validate(written)
    except ValidationError as error:
        problems += problems_of(error, RoomOverride, ("rooms", index))
        # so that the rest is checked too
        return RoomOverride(match="*", config=written["config"])


# --- all together


class WorkerSettings(WorkerOptions):
    """All that a worker knows before it is asked into a room."""

    livekit: LiveKitSettings
    palabra: PalabraSettings
    room: dict[str, Any] = Field(default={})
    """The room config that holds for every room, as written; `[room]`."""
    rooms: tuple[RoomOverride, ...] = ()
    """Parts of a room config that hold for some rooms, in file order; `[[rooms]]`."""
    ceilings: Ceilings = Ceilings()
    """What rooms and organisers may not exceed or touch, unless `rooms` differ; `[ceilings]`."""
    plugins: dict[str, dict[str, Any]] = Field(default={}, repr=False)
    """Each plugin's settings that a room must not choose, as written; `[plugins.NAME]`."""

    def room_layers(self, room_name: str) -> list[Mapping[str, object]]:
        """The worker's own config of a room, lowest layer first, for `parse_room_config`."""
        fitting = [each.config for each in self.rooms if fnmatchcase(room_name, each.match)]
        return [self.room, *fitting]

    def ceilings_of(self, room_name: str, with_settings: Collection[str] = ()) -> RoomCeilings:
        """What the metadata and the organisers of a room may not exceed or touch.

        Args:
            room_name: The room.
            with_settings: Plugins that have settings of the operator's: locked unless allowed.
        """
        ceilings = self.ceilings
        for each in self.rooms:
            if fnmatchcase(room_name, each.match):
                ceilings = ceilings.under(each.ceilings)
        locked = set(with_settings) - set(self.allowed_plugins or ())
        return ceilings.in_room(self.room_layers(room_name), locked)

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
    host: str | None = None,
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
        host: Of the health server.
        port: Likewise.
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
        {"agent_name": agent_name, "host": host, "port": port, "drain_seconds": drain_seconds},
        problems,
    )
    if encryption is not None and encryption.e2ee_key:
        options = options.model_copy(update={"e2ee_key": encryption.e2ee_key})
    sections = file.sections
    known = plugins(sections.plugins, options.allowed_plugins) if plugins is not None else None
    problems += [*file.problems, *_room_problems(file, known), *_lock_problems(file, known)]
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
        ceilings=file.ceilings,
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


def _lock_problems(file: _SettingsFile, plugins: PluginKnowledge | None) -> Iterator[Problem]:
    """List what is locked and is not there, neither in the room config nor among the plugins."""
    those: list[tuple[Place, Ceilings]] = [(("ceilings",), file.ceilings)]
    for index, each in enumerate(file.overrides):
        if each.ceilings is not None:
            those.append((("rooms", index, "ceilings"), each.ceilings))
    for place, ceilings in those:
        for at, reason in unknown_locks(ceilings.locked, RoomConfig):
            yield Problem(path_text((*place, "locked", at)), reason)
        for at, name in enumerate(ceilings.locked_plugins):
            if plugins is not None and not plugins.is_installed(name):
                path = path_text((*place, "locked_plugins", at))
                yield Problem(path, f"{shown(name)} is not installed")
