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
_MODEL: Final = re.compile(r"model='(?P<model>\w+)'")
_LONGEST_READ: Final = 20_000
_LONGEST: Final = 300
"""It is shown in an attribute, together with others; longer ones LiveKit drops without a word."""

_UNKNOWN_COMMAND: Final = "non-empty message_type"
"""Part of the answer to a command that the server does not know; seen live for `flush_task`."""


def entries_of(desc: str) -> list[tuple[tuple[str, ...], str]]:
    """The fields that a validation error complains of, each with what it wants."""
    return [(_path(entry["loc"]), entry["msg"]) for entry in _ENTRY.finditer(desc[:_LONGEST_READ])]


def readable(desc: str) -> str:
    """Turn the validator's own notation into words."""
    words = "; ".join(f"{'.'.join(path)}: {msg}" for path, msg in entries_of(desc)) or desc
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def is_of_unknown_command(desc: str) -> bool:
    """Whether a validation error says that the server does not know a command's name."""
    return _UNKNOWN_COMMAND in desc


def is_of_task(desc: str) -> bool:
    """Whether a validation error may be about a `set_task`: it says so, or says nothing of that."""
    model = _MODEL.search(desc)
    return model is None or model["model"].startswith("SetTask")


def _path(loc: str) -> tuple[str, ...]:
    return tuple(name or number for name, number in _NAME.findall(loc))
