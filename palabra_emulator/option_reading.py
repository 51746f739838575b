"""Options by their names: `NAME=VALUE` as people type it, read as the option's type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from palabra_agent.errors import ConfigError, Problem
from palabra_emulator.faults.parameters import did_you_mean, shown
from palabra_emulator.options import EmulatorOptions

_TYPES: Final[dict[str, Any]] = get_type_hints(EmulatorOptions)
_ELSEWHERE: Final = frozenset(
    {"livekit_url", "livekit_api_key", "livekit_api_secret", "scenario", "script"}
)
"""What is said in other ways."""

_HIGHEST: Final = {
    "duplicate_validated": 1.0,
    "port": 65_535.0,
    "queue_map_hz": 100.0,
    "seed": 2.0**53,
    "most_sessions": 10_000.0,
}
_LONGEST_SECONDS: Final = 30.0 * 24 * 3600
"""The end of every time that can be chosen, in seconds or milliseconds."""

_WORDS: Final = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}

OPTION_NAMES: Final = tuple(
    field.name for field in fields(EmulatorOptions) if field.name not in _ELSEWHERE
)


def read_options(written: Sequence[str]) -> dict[str, Any]:
    """Read options; of one that is written twice, the later counts.

    Raises:
        ConfigError: One of them is unknown or has a wrong value; every mistake is told.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for text in written:
        name, separator, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator:
            problems.append(Problem(text, "must be NAME=VALUE"))
        elif name not in OPTION_NAMES:
            hint = did_you_mean(name, OPTION_NAMES)
            problems.append(
                Problem(name, f"is no option; there are {', '.join(OPTION_NAMES)}{hint}")
            )
        else:
            try:
                values[name] = _read(name, value.strip())
            except ValueError as wrong:
                problems.append(Problem(name, f"must be {wrong}, not {shown(value.strip())}"))
    if problems:
        raise ConfigError(problems)

    return values


def _read(name: str, text: str) -> object:
    """Read a value; a ValueError says what it must be."""
    kind = _TYPES[name]
    if get_origin(kind) is Literal:
        return _choice(get_args(kind), text)
    if kind is bool:
        if text.lower() not in _WORDS:
            raise ValueError("true or false")
        return _WORDS[text.lower()]
    if kind in {int, float}:
        return _number(name, kind, text)
    if get_origin(kind) is frozenset:
        return frozenset(word.strip() for word in text.split(",") if word.strip())
    if get_origin(kind) in {Union, UnionType}:
        return Path(text) if text else None

    return text


def _choice(allowed: tuple[Any, ...], text: str) -> object:
    for value in allowed:
        if str(value) == text:
            return value

    raise ValueError(f"one of {', '.join(map(str, allowed))}")


def _number(name: str, kind: type[int] | type[float], text: str) -> float:
    longest = _LONGEST_SECONDS * (1000 if name.endswith("_ms") else 1)
    highest = _HIGHEST.get(name, longest)
    wanted = f"{'a whole number' if kind is int else 'a number'} from 0 to {highest:.10g}"
    try:
        number = kind(text)
    except ValueError:
        raise ValueError(wanted) from None
    if not 0 <= number <= highest:
        raise ValueError(wanted)

    return number
