"""Configurations as text: JSON and TOML read strictly, and laid over each other.

A text that cannot be read is refused in a sentence, and so is what its format would let pass in
silence: keys that are given twice, numbers without an end, half characters, nesting without end.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final, NoReturn

from palabra_agent.config.fields import repeated
from palabra_agent.config.problems import enough_of
from palabra_agent.config.wording import Path, json_kind, path_text, shown
from palabra_agent.errors import Problem, RoomConfigError, SettingsError

MAX_BYTES: Final = 65_536
"""The largest room config; older LiveKit servers carry no more."""

MAX_DEPTH: Final = 32
"""The levels that a room config may have."""
_MAX_TOML_DEPTH: Final = MAX_DEPTH + 2
"""A room config stands two levels deep in the worker's file, in `[[rooms]]`."""

_BYTE_ORDER_MARK: Final = "\ufeff"
"""Some editors begin a file with it."""

_MAX_DIGITS: Final = 20
_TOO_DEEP: Final = f"is nested more than {MAX_DEPTH} levels deep"


def lay_over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one layer over another: objects merge, all else is replaced.

    The upper layer's keys come first, so that its patterns are also asked first.
    """
    merged = {
        key: lay_over(lower[key], value)
        if isinstance(value, Mapping) and isinstance(lower.get(key), Mapping)
        else value
        for key, value in upper.items()
    }
    return merged | {key: value for key, value in lower.items() if key not in merged}


def read_toml(path: FilePath) -> dict[str, Any]:
    """Parse a file of settings.

    Raises:
        SettingsError: It cannot be read, or is not TOML.
    """
    too_deep = "is nested too deeply"
    try:
        # some editors begin a file with a mark of its encoding
        written = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        if _depth(written) <= _MAX_TOML_DEPTH:
            return written
        reason = too_deep
    except FileNotFoundError:
        reason = "does not exist"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except RecursionError:
        reason = too_deep
    except ValueError:
        reason = "holds a number of too many digits"
    raise SettingsError([Problem("", f"the settings file {path} {reason}")])


def _depth(written: object) -> int:
    """Count the levels of a value; dotted keys nest without brackets that a parser would count."""
    depth = 0
    level = [written]
    while level := [inner for value in level for _, inner in _items(value)]:
        depth += 1
    return depth


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys it was given twice."""

    repeated: tuple[str, ...] = ()


def read_object(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """Parse a JSON object, with the mistakes that JSON itself would let pass.

    Raises:
        RoomConfigError: when the text holds no object at all, or too much of one.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        _refuse(f"the room config has {size} bytes; at most {MAX_BYTES} are allowed")
    text = text.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        return {}, []

    value = _parse(text)
    if not isinstance(value, dict):
        _refuse(f"the room config must be a JSON object, not {json_kind(value)}")
    return value, enough_of(_inspect(value))


def _parse(text: str) -> object:
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_int,
            parse_float=_float,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        _refuse(f"the room config is not JSON: {error.msg} ({where})")
    except RecursionError:
        _refuse(f"the room config {_TOO_DEEP}")


def _object(pairs: Sequence[tuple[str, Any]]) -> _Object:
    result = _Object(pairs)
    if len(result) < len(pairs):
        result.repeated = tuple(repeated(key for key, _ in pairs))
    return result


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        _refuse(f"the room config holds a number of {len(digits)} digits, which is too large")
    return int(digits)


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        _refuse(f"the room config holds {digits[:_MAX_DIGITS]}, a number that is too large")
    return number


def _refuse_constant(name: str) -> NoReturn:
    _refuse(f"the room config holds {name}, which is not JSON")


def _refuse(reason: str) -> NoReturn:
    raise RoomConfigError([Problem("", reason)]) from None


def _inspect(root: object) -> list[Problem]:
    """Repeated keys, at their paths; raises for what must not be looked at any further."""
    problems: list[Problem] = []
    waiting: list[tuple[Path, object]] = [((), root)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > MAX_DEPTH:
            _refuse(f"the room config {_TOO_DEEP}")
        if isinstance(value, str):
            _refuse_half_characters(path, value)
        if isinstance(value, _Object):
            problems += [Problem(path_text((*path, key)), "given twice") for key in value.repeated]
        for key, item in _items(value):
            if isinstance(key, str):
                _refuse_half_characters((), key)
            waiting.append(((*path, key), item))
    return problems


def _items(value: object) -> Iterable[tuple[str | int, object]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _refuse_half_characters(path: Path, text: str) -> None:
    """Refuse a lone surrogate: it can be written in JSON, but not sent to a participant."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        whole = text.encode("utf-8", "replace").decode()
        raise RoomConfigError(
            [Problem(path_text(path), f"{shown(whole)} holds half of a surrogate pair")]
        )
