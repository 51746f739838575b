"""How one layer of a configuration is laid over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def overlay(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one layer over another: objects merge, all else is replaced.

    The upper layer's keys come first, so that its patterns are also asked first.
    """
    merged = {
        key: overlay(lower[key], value)
        if isinstance(value, Mapping) and isinstance(lower.get(key), Mapping)
        else value
        for key, value in upper.items()
    }
    return merged | {key: value for key, value in lower.items() if key not in merged}
