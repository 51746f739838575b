"""Requests for faults, as clients send them and scenario files list them."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from pydantic import ValidationError

from palabra_agent.errors import ConfigError, Problem
from palabra_emulator.faults.catalogue import BY_ID, Fault
from palabra_emulator.validation import did_you_mean, problems, shown

_FAULT: Final = "fault"
_LIST: Final = "faults"


def read_fault(content: object, where: str = "") -> Fault:
    """Read one request.

    Args:
        content: What was written, parsed.
        where: What to put before the names of fields in the mistakes.

    Raises:
        ConfigError: It cannot be read; every mistake is told.
    """
    if not isinstance(content, dict):
        reason = f'must be an object such as {{"fault": "F8"}}, not {shown(content)}'
        raise ConfigError([Problem(where, reason)])

    fields = {str(name): it for name, it in cast("dict[object, object]", content).items()}
    kind = BY_ID.get(str(fields.get(_FAULT)))
    found = [_unknown_fault(fields)] if kind is None else _unknown_fields(kind, fields)
    if kind is not None:
        known = {name: it for name, it in fields.items() if name in kind.parameters()}
        try:
            fault = kind.model_validate(known)
        except ValidationError as error:
            found = [*problems(error, kind.parameters(), known), *found]
        else:
            if not found:
                return fault

    raise ConfigError([_below(where, it) for it in found])


def load_scenario(path: Path) -> tuple[Fault, ...]:
    """Read a scenario file: JSON or, with the suffix `.toml`, TOML.

    It holds a list of faults, or an object with such a list under `faults`, each as
    `POST /emulator/faults` takes it; `at_seconds` counts from the emulator's start.

    Raises:
        ConfigError: It cannot be read; every mistake in it is told.
    """
    content = _parsed(path)
    if isinstance(content, dict):
        unknown = [str(name) for name in cast("dict[object, object]", content) if name != _LIST]
        if unknown:
            reason = f'has "{unknown[0]}", and only "{_LIST}" is known'
            raise ConfigError([Problem(str(path), reason)])
        content = cast("dict[object, object]", content).get(_LIST)
    if not isinstance(content, list):
        raise ConfigError([Problem(str(path), f'needs a list of faults, alone or as "{_LIST}"')])

    faults: list[Fault] = []
    found: list[Problem] = []
    for place, request in enumerate(cast("list[object]", content)):
        try:
            faults.append(read_fault(request, f"{path}: {_LIST}[{place}]"))
        except ConfigError as error:
            found += error.problems
    if found:
        raise ConfigError(found)

    return tuple(faults)


def _parsed(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8-sig")
        content: object = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise ConfigError([Problem(str(path), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), "is not UTF-8 text")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([Problem(str(path), f"is not TOML: {error}")]) from None
    except (ValueError, RecursionError) as error:
        raise ConfigError([Problem(str(path), f"is not JSON: {error}")]) from None

    return content


def _unknown_fault(fields: Mapping[str, object]) -> Problem:
    name = fields.get(_FAULT)
    hint = did_you_mean(name, BY_ID) if isinstance(name, str) else ""
    listed = f"{next(iter(BY_ID))} to {list(BY_ID)[-1]}"
    said = "is missing" if _FAULT not in fields else f"is {shown(name)}"
    return Problem(_FAULT, f"{said}; there are {listed}{hint}")


def _unknown_fields(kind: type[Fault], fields: Mapping[str, object]) -> list[Problem]:
    own = [it.name for it in kind.own_parameters()]
    has = f"which has {', '.join(own)}" if own else "which has none of its own"
    known = [_FAULT, *kind.parameters()]
    return [
        Problem(name, f"is not a parameter of {kind.id}, {has}{did_you_mean(name, known)}")
        for name in fields
        if name not in known
    ]


def _below(where: str, problem: Problem) -> Problem:
    path = f"{where}.{problem.path}" if where and problem.path else where or problem.path
    return Problem(path, problem.reason)
