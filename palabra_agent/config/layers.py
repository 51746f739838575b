"""How one layer of a room config is laid over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from palabra_agent.languages import normalise

SCHEMA_KEY: Final = "$schema"
"""Where JSON says what it is to be checked by; for editors."""

_KEYED_BY_LANGUAGE: Final = ("translations", "translation_queue_configs")


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


def without_schema(config: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is there for editors; what is no address stays, to be refused."""
    return {
        key: value
        for key, value in config.items()
        if key != SCHEMA_KEY or not isinstance(value, str)
    }


def with_codes_spelt(layer: Mapping[str, object]) -> dict[str, object]:
    """Spell language keys alike, so that layers meet; two spellings in one stay, to be refused."""
    palabra = layer.get("palabra")
    if not isinstance(palabra, Mapping):
        return dict(layer)

    spelt: dict[str, object] = dict(palabra)
    for name in _KEYED_BY_LANGUAGE:
        entries = palabra.get(name)
        if isinstance(entries, Mapping):
            codes = {
                normalise(key): value for key, value in entries.items() if isinstance(key, str)
            }
            spelt[name] = codes if len(codes) == len(entries) else entries
    return {**layer, "palabra": spelt}
