"""Values out of a JSON of unknown origin: taken as what they should be, or as nothing.

A value is the same in any wrapping that servers put it into: as the only entry of a list, an object
as a JSON text, a number or a truth as a text. Nothing here raises, and every text that leaves here
can be encoded again. A JSON of more values than any message has is none: it would be read for long.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final, cast

_NUMBER: Final = re.compile(r"\s*[+-]?\d{1,20}(\.\d{0,20})?(e[+-]?\d{1,3})?\s*", re.IGNORECASE)
_LONGEST_NUMBER: Final = 64
"""Characters; of longer ones it takes long to tell what number they are."""
_LARGEST_ID: Final = 10**40
_DEEPEST: Final = 5
"""So many wrappings are taken off."""
_MOST_VALUES: Final = 4_000
"""A task in all languages that Palabra speaks has about a thousand."""


def parsed(text: bytes | str) -> object:
    """A JSON text as the value that it means; None where it is no JSON, as for `null`."""
    if is_excessive(text):
        return None

    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> int | None:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else None


def is_excessive(text: bytes | str) -> bool:
    """Tell whether a JSON text may hold more values than any message; what is in words counts."""
    if isinstance(text, str):
        return sum(map(text.count, ",[{")) > _MOST_VALUES

    return sum(map(text.count, (b",", b"[", b"{"))) > _MOST_VALUES


def as_object(value: object) -> Mapping[str, Any] | None:
    """A JSON object, as it is."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def opened(value: object) -> object:
    """An object or a list, out of a JSON text or the only entry of a list; others as they are."""
    for _ in range(_DEEPEST):
        inner = parsed(value) if isinstance(value, str) else alone(value)
        if inner is value or not isinstance(inner, dict | list | str):
            return value

        value = inner

    return value


def alone(value: object) -> object:
    """The only entry of a list; other values as they are."""
    for _ in range(_DEEPEST):
        entries = cast("list[object]", value) if isinstance(value, list) else []
        if len(entries) != 1:
            return value

        value = entries[0]

    return value


def as_text(value: object) -> str | None:
    """A string; halves of surrogate pairs, which JSON may hold and UTF-8 may not, replaced."""
    text = alone(value)
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def as_number(value: object) -> float | None:
    """A finite number of a reasonable size, or a text that is one."""
    number = alone(value)
    if isinstance(number, str):
        is_short = len(number) <= _LONGEST_NUMBER
        number = float(number) if is_short and _NUMBER.fullmatch(number) else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None

    return number if -1e15 < number < 1e15 and math.isfinite(number) else None


def as_flag(value: object) -> bool:
    """True for `true`, for a number that is not zero, and for a text that is one of them."""
    text = as_text(value)
    if text is not None and text.strip().lower() == "true":
        return True

    return alone(value) is True or bool(as_number(value))


def as_word(value: object) -> str:
    """A string, or a number in its place, as text; empty for everything else."""
    word = alone(value)
    if isinstance(word, str):
        return as_text(word) or ""
    if isinstance(word, int) and not isinstance(word, bool):
        # an id may have more digits than a number of anything
        return str(word) if abs(word) < _LARGEST_ID else ""

    number = as_number(word)
    if number is None:
        return ""

    return str(int(number) if number.is_integer() else number)
