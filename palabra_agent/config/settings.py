"""The worker's settings: where each comes from, which source wins, and what they may be.

Lowest first: built-in defaults, the TOML file, the environment, the command line. Credentials and
addresses come from the environment alone. Each mistake names the variable, option or TOML path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final, TypeAlias

from dotenv import dotenv_values
from pydantic import Field, ValidationError

from palabra_agent.config.problems import problems_of
from palabra_agent.config.room import PluginKnowledge, layer_problems
from palabra_agent.config.settings_file import RoomOverride, SettingsFile, read_settings_file
from palabra_agent.config.variables import (
    ApiKeyCredentials,
    ClientCredentials,
    LiveKitSettings,
    PalabraCredentials,
    Variables,
    livekit_from,
    palabra_credentials_from,
    palabra_url_from,
)
from palabra_agent.config.worker_options import (
    DEFAULT_AGENT_NAME,
    DEFAULT_IDENTITY,
    WorkerOptions,
)
from palabra_agent.errors import Problem, SettingsError

__all__ = [
    "DEFAULT_AGENT_NAME",
    "DEFAULT_IDENTITY",
    "ApiKeyCredentials",
    "ClientCredentials",
    "LiveKitSettings",
    "PalabraCredentials",
    "PluginLoader",
    "RoomOverride",
    "WorkerOptions",
    "WorkerSettings",
    "load_livekit_settings",
    "load_plugin_settings",
    "load_settings",
    "merged_environment",
]

AGENT_NAME_VARIABLE: Final = "PALABRA_AGENT_NAME"
"""The one variable that says something by being empty: join every new room."""


class WorkerSettings(WorkerOptions):
    """All that a worker knows before it is asked into a room."""

    livekit: LiveKitSettings
    palabra_api_url: str
    """Palabra's REST API, without a slash at its end."""
    palabra_credentials: PalabraCredentials
    room: dict[str, Any] = Field(default={})
    """The room config that holds for every room, as written; `[room]`."""
    rooms: tuple[RoomOverride, ...] = ()
    """What holds for some rooms, in file order; `[[rooms]]`."""
    plugins: dict[str, dict[str, Any]] = Field(default={}, repr=False)
    """What each plugin is told that a room must not choose, as written; `[plugins.NAME]`."""

    def room_layers(self, room_name: str) -> list[Mapping[str, object]]:
        """What the worker says about a room, lowest first, for `parse_room_config`."""
        fitting = [each.config for each in self.rooms if fnmatchcase(room_name, each.match)]
        return [self.room, *fitting]


PluginLoader: TypeAlias = Callable[
    [Mapping[str, Mapping[str, object]], Sequence[str] | None], PluginKnowledge
]
"""Loads the plugins that `allowed_plugins` allow, told what `[plugins.NAME]` says of each."""


def load_settings(
    *,
    env: Mapping[str, str],
    config_file: Path | None = None,
    plugins: PluginLoader | None = None,
    agent_name: str | None = None,
    port: int | None = None,
    drain_seconds: int | None = None,
) -> WorkerSettings:
    """Gather the settings from every source; what the command line leaves out is None.

    With `plugins`, what is said of plugins is checked as well, and not only its shape.

    Raises:
        SettingsError: with every mistake of every source.
    """
    file = read_settings_file(config_file)
    variables = Variables(env)
    options, mistakes = _options(
        file.worker,
        env,
        {"agent_name": agent_name, "port": port, "drain_seconds": drain_seconds},
    )
    livekit = livekit_from(variables)
    palabra_api_url = palabra_url_from(variables)
    credentials = palabra_credentials_from(variables)

    known = plugins(file.plugins, options.allowed_plugins) if plugins is not None else None
    of_plugins = known.settings_problems() if known is not None else ()

    problems = [*variables.problems, *mistakes, *file.problems, *_room_problems(file, known)]
    problems += of_plugins
    if problems:
        raise SettingsError(problems)
    return WorkerSettings(
        **options.model_dump(),
        livekit=livekit,
        palabra_api_url=palabra_api_url,
        palabra_credentials=credentials,
        room=file.room,
        rooms=file.rooms,
        plugins=file.plugins,
    )


def load_livekit_settings(env: Mapping[str, str]) -> LiveKitSettings:
    """Read only what a command needs that talks to LiveKit and not to Palabra.

    Raises:
        SettingsError: with every variable that is missing or wrong.
    """
    variables = Variables(env)
    livekit = livekit_from(variables)
    if variables.problems:
        raise SettingsError(variables.problems)
    return livekit


def load_plugin_settings(
    config_file: Path | None,
) -> tuple[Mapping[str, Mapping[str, object]], Sequence[str] | None]:
    """Read only what loading plugins takes: their tables by name, and which are allowed.

    Raises:
        SettingsError: with every mistake of `[worker]`.
    """
    file = read_settings_file(config_file)
    options, problems = _options(file.worker, {}, {})
    if problems:
        raise SettingsError(problems)
    return file.plugins, options.allowed_plugins


def merged_environment(dotenv_file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Lay the environment over a `.env` file; an empty variable does not hide the file's.

    Raises:
        SettingsError: when the file is there but cannot be read.
    """
    try:
        written = dotenv_values(dotenv_file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([Problem("", f"{dotenv_file} cannot be read: {reason}")]) from None
    below = {name: value for name, value in written.items() if value is not None}
    above = {
        name: value
        for name, value in environ.items()
        if value or name == AGENT_NAME_VARIABLE or name not in below
    }
    return below | above


def _options(
    written: Mapping[str, Any], env: Mapping[str, str], command_line: Mapping[str, Any]
) -> tuple[WorkerOptions, list[Problem]]:
    """The options, and their mistakes under the name that the winning source gives them."""
    said = dict(written)
    sources: dict[str, str] = {}
    if AGENT_NAME_VARIABLE in env:
        said["agent_name"] = env[AGENT_NAME_VARIABLE]
        sources["worker.agent_name"] = AGENT_NAME_VARIABLE
    for name, value in command_line.items():
        if value is not None:
            said[name] = value
            sources[f"worker.{name}"] = f"--{name.replace('_', '-')}"
    try:
        return WorkerOptions.model_validate(said), []
    except ValidationError as error:
        found = problems_of(error, WorkerOptions, ("worker",))
        return WorkerOptions(), [
            replace(problem, path=sources.get(problem.path, problem.path)) for problem in found
        ]


def _room_problems(file: SettingsFile, plugins: PluginKnowledge | None) -> list[Problem]:
    """What is wrong with `[room]`, and with each `[[rooms]]` laid over it alone."""
    problems = layer_problems(file.room, prefix=("room",), plugins=plugins)
    for index, override in enumerate(file.rooms):
        prefix = ("rooms", index)
        inherited = layer_problems(file.room, prefix=prefix, plugins=plugins)
        found = layer_problems(override.config, below=(file.room,), prefix=prefix, plugins=plugins)
        problems += [problem for problem in found if problem not in inherited]
    return problems
