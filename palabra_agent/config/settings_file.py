"""The worker's TOML file: its sections, each room override apart from the rooms that it matches."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from palabra_agent.config.fields import ConfigModel, Name
from palabra_agent.config.problems import problems_of
from palabra_agent.config.text import MAX_DEPTH
from palabra_agent.errors import Problem, SettingsError

_ABOVE_ROOM: Final = 2
"""How deep a room's own config stands, in `[[rooms]]`."""
_MAX_DEPTH: Final = MAX_DEPTH + _ABOVE_ROOM
_TOO_DEEP: Final = "is nested too deeply"


class RoomOverride(ConfigModel):
    """One `[[rooms]]`: a part of a room config, for the rooms whose name fits."""

    match: Name
    """Room name or pattern, such as `board-*`."""
    config: dict[str, Any]
    """What holds in them; checked as a room config."""


class _Sections(ConfigModel):
    worker: dict[str, Any] = Field(default={})
    room: dict[str, Any] = Field(default={})
    rooms: tuple[dict[str, Any], ...] = ()
    plugins: dict[str, dict[str, Any]] = Field(default={})


class _Match(ConfigModel):
    match: Name


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What the file says, as written."""

    worker: dict[str, Any]
    room: dict[str, Any]
    rooms: tuple[RoomOverride, ...]
    plugins: dict[str, dict[str, Any]]
    problems: tuple[Problem, ...]
    """Mistakes found so far; a section that has one is left empty."""


def read_settings_file(path: Path | None) -> SettingsFile:
    """Read the file; without one, nothing is said.

    Raises:
        SettingsError: when it cannot be read as TOML with these sections.
    """
    if path is None:
        return SettingsFile({}, {}, (), {}, ())
    try:
        sections = _Sections.model_validate(_toml(path))
    except ValidationError as error:
        raise SettingsError(problems_of(error, _Sections)) from None

    overrides: list[RoomOverride] = []
    problems: list[Problem] = []
    for index, table in enumerate(sections.rooms):
        config = {key: value for key, value in table.items() if key != "match"}
        said = {"match": table["match"]} if "match" in table else {}
        try:
            match = _Match.model_validate(said).match
        except ValidationError as error:
            problems += problems_of(error, _Match, ("rooms", index))
            match = "*"  # so that the rest of the table is checked too
        overrides.append(RoomOverride(match=match, config=config))
    return SettingsFile(
        sections.worker, sections.room, tuple(overrides), sections.plugins, tuple(problems)
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        # some editors begin a file with a mark of its encoding
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        if _depth(written) <= _MAX_DEPTH:
            return written
        reason = _TOO_DEEP
    except FileNotFoundError:
        reason = "does not exist"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except RecursionError:
        reason = _TOO_DEEP
    except ValueError:
        reason = "holds a number of too many digits"
    raise SettingsError([Problem("", f"the settings file {path} {reason}")])


def _depth(written: object) -> int:
    """How many levels a value has; dotted keys nest without brackets that a parser would count."""
    depth = 0
    level = [written]
    while level := [inner for value in level for inner in _within(value)]:
        depth += 1
    return depth


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
