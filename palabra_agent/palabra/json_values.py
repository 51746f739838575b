"""Values out of a JSON of unknown origin: taken as what they should be, or as nothing.

Nothing here raises, and every text that leaves here can be encoded again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, cast


def parsed(text: bytes | str) -> object:
    """A JSON text as the value that it means; None where it is no JSON, as for `null`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def as_object(value: object) -> Mapping[str, Any] | None:
    """A JSON object."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else None


def as_text(value: object) -> str | None:
    """A string; halves of surrogate pairs, which JSON may hold and UTF-8 may not, replaced."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def as_number(value: object) -> float | None:
    """A finite number of a reasonable size."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None

    return value if -1e15 < value < 1e15 and math.isfinite(value) else None


def as_word(value: object) -> str:
    """A string, or a number in its place, as text; empty for everything else."""
    if isinstance(value, str):
        return as_text(value) or ""

    number = as_number(value)
    return "" if number is None else str(number)
