"""A room config on a command line: where it is read from, and how far it can be checked there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from palabra_agent.config.text import read_object
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.languages import TARGET_LANGUAGES, normalise
from palabra_agent.room_config import parse_room_config


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


def check_metadata(metadata: str) -> Sequence[Problem]:
    """Check a room config as far as that goes without knowing the worker's own settings.

    Returns:
        What would be wrong if the worker kept to the built-in defaults; its own may differ.

    Raises:
        RoomConfigError: It is wrong whatever the worker's settings are.
    """
    try:
        parse_room_config(metadata)
    except RoomConfigError as error:
        parse_room_config(metadata, layers=[_most_fitting_settings(metadata)])
        return error.problems

    return ()


def _most_fitting_settings(metadata: str) -> dict[str, object]:
    """What a worker's `[room]` would say that suits a room config best, where it leaves it open."""
    said, _ = read_object(metadata)
    always_on = said.get("always_on")
    named = [*(always_on if isinstance(always_on, list) else ()), said.get("default_listen")]
    codes = dict.fromkeys(normalise(code) for code in named if isinstance(code, str))
    languages = [code for code in codes if code in TARGET_LANGUAGES]
    return {
        "languages": languages or ["en"],
        "limits": {"max_languages": len(TARGET_LANGUAGES)},
    }
