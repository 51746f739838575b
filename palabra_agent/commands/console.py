"""Shared parts of the commands: consoles, options, files that they read, and how they end."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from palabra_agent.errors import ConfigError, PalabraAgentError, Problem, RoomConfigError

errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
output = Console(highlight=False, soft_wrap=True)

ENV_FILE: Final = Path(".env")
"""Lies below the environment; in the folder in which a command is run."""

_SETTINGS_HELP: Final = escape(
    "The worker's settings in TOML: [worker], [room], [[rooms]], [ceilings], [plugins.NAME]."
)
SettingsFile = Annotated[Path | None, typer.Option("--settings", help=_SETTINGS_HELP)]
SettingsFileOfStart = Annotated[
    Path | None,
    typer.Option(
        "--settings", "--config", help=f"{_SETTINGS_HELP} `--config` is another name for it."
    ),
]
"""Elsewhere `--config` is a room config; `start` has none."""


def read_config_argument(argument: str) -> str:
    """Take a room config from a command line: JSON, or `@file.json`.

    Raises:
        RoomConfigError: The file cannot be read.
    """
    if not argument.startswith("@"):
        return argument

    path = Path(argument[1:])
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"

    raise RoomConfigError([Problem("", f"{path}: {reason}")])


def keep_plugins_out_of_the_log() -> None:
    """Let a command that tells in its own words what is wrong with plugins be the only one to."""
    _keep_out_of_the_log("palabra_agent.plugins_host")


def keep_the_sdk_out_of_the_log() -> None:
    """Let a command that tells in its own words what does not connect be the only one to."""
    _keep_out_of_the_log("livekit")


def _keep_out_of_the_log(name: str) -> None:
    logging.getLogger(name).addHandler(logging.NullHandler())


@contextmanager
def sentences() -> Generator[None]:
    """Tell people what is wrong in sentences, and end with exit code 1."""
    try:
        yield
    except ConfigError as error:
        for problem in error.problems:
            errors.print(f"palabra-agent: {problem}")
    except PalabraAgentError as error:
        errors.print(f"palabra-agent: {error}")
    else:
        return

    raise typer.Exit(1)
