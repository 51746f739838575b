"""Palabra's validation errors in words: which field, and what it wants. Pure.

They are the printed form of a Python object, or a list of entries as objects; what can be read
neither way is passed on as it is.
"""

from __future__ import annotations

import re
from typing import Final

_ENTRY: Final = re.compile(
    r"""'loc': (?P<loc>[(\[][^()\[\]]*[)\]]), 'msg': (["'])(?P<msg>(?:\\.|(?!\2)[^\\])*)\2"""
)
_NAME: Final = re.compile(r"'([^']+)'|\b(\d+)\b")
_LONGEST_READ: Final = 20_000
_LONGEST: Final = 300
"""It is shown in an attribute, together with others; longer ones LiveKit drops without a word."""


def entries_of(desc: str) -> list[tuple[tuple[str, ...], str]]:
    """The fields that a validation error complains of, each with what it wants."""
    return [(_path(entry["loc"]), entry["msg"]) for entry in _ENTRY.finditer(desc[:_LONGEST_READ])]


def readable(desc: str) -> str:
    """Turn the validator's own notation into words."""
    words = "; ".join(f"{'.'.join(path)}: {msg}" for path, msg in entries_of(desc)) or desc
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _path(loc: str) -> tuple[str, ...]:
    return tuple(name or number for name, number in _NAME.findall(loc))
