"""A room config on a command line: where it is read from, and how far it can be checked there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from palabra_agent.config import wording
from palabra_agent.config.documents import read_object
from palabra_agent.config.plugins import PluginUse
from palabra_agent.config.room import parse_room_config
from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.languages import TARGET_LANGUAGES, normalise
from palabra_agent.plugins_host.catalog import PluginCatalog

_MAY_ALLOW: Final = "the worker's own settings may allow it"
_MAY_HAVE: Final = "the worker may have it"


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


def plugins_named_in(metadata: str) -> tuple[str, ...]:
    """The names that a room config gives to plugins, as far as they can be read."""
    try:
        said, _ = read_object(metadata)
    except RoomConfigError:
        return ()
    uses = said.get("plugins")
    if not isinstance(uses, list):
        return ()
    names = (use.get("name") for use in uses if isinstance(use, dict))
    return tuple(name for name in names if isinstance(name, str))


def check_metadata(metadata: str, plugins: PluginCatalog) -> Sequence[Problem]:
    """Check a room config as far as that goes without knowing the worker's own settings.

    Args:
        metadata: JSON.
        plugins: Those that are installed here; the worker may have others.

    Returns:
        What would be wrong if the worker were as this installation, and kept to the defaults.

    Raises:
        RoomConfigError: It is wrong whatever the worker's settings are.
    """
    known = _InstalledHere(plugins)
    problems: Sequence[Problem] = ()
    try:
        config = parse_room_config(metadata, plugins=known)
    except RoomConfigError as error:
        layers = [_most_fitting_settings(metadata)]
        config = parse_room_config(metadata, layers=layers, plugins=known)
        problems = error.problems

    return [
        *(replace(each, reason=_but(each.reason, _MAY_ALLOW)) for each in problems),
        *(
            Problem(f"plugins[{index}].name", _but(objection, _MAY_HAVE))
            for index, use in enumerate(config.plugins)
            if (objection := known.objection(use)) is not None
        ),
    ]


def _but(reason: str, hope: str) -> str:
    return f"{reason} {hope}" if reason.endswith("?") else f"{reason}; {hope}"


@dataclass(frozen=True, slots=True)
class _InstalledHere:
    """What plugins say that are installed here, of those that the worker might have."""

    catalog: PluginCatalog

    def mistakes(self, use: PluginUse) -> Sequence[tuple[wording.Path, str]]:
        return self.catalog.config_mistakes(use)

    def are_same(self, one: PluginUse, other: PluginUse) -> bool:
        return self.catalog.are_same(one, other)

    def is_installed(self, name: str) -> bool:
        return self.catalog.is_installed(name)

    def settings_problems(self) -> Sequence[Problem]:
        return ()

    def objection(self, use: PluginUse) -> str | None:
        if self.catalog.has_recipe(use.name):
            return None
        return self.catalog.objection(use.name)


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
