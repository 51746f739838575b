"""How a value and a path of a configuration are shown: short, and never a credential."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands: keys, and positions in lists."""

_SHOWN: Final = 60
_LISTED: Final = 20
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_*?-]+")
_CREDENTIAL_KEY: Final = re.compile(
    r"(.*(apikey|secret|token|password|passwd|clientid|credentials?|privatekey)|authorization)"
)
_CREDENTIAL_MARK: Final = re.compile(
    r"plbr[_-]|eyJ[\w-]{6}|\bsk-|bearer |://[^/\s]*@", re.IGNORECASE
)
_LONG_WORD: Final = re.compile(r"(?=\S*[0-9])(?=\S*[A-Za-z])[\w+/=.~-]{24,}")
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list", tuple: "a list"}


def is_credential_key(key: str | int) -> bool:
    """Whether a value under this key must not be shown."""
    word = re.sub(r"[^a-z0-9]", "", str(key).lower())
    return _CREDENTIAL_KEY.fullmatch(word) is not None


def shown(value: object) -> str:
    """A value as it may appear in a sentence: short, on one line, never a credential."""
    for kind, name in _KINDS.items():
        if isinstance(value, kind):
            return name
    if isinstance(value, str):
        if _CREDENTIAL_MARK.search(value) or _LONG_WORD.fullmatch(value):
            return "a value that looks like a credential"
        value = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    if value is None or isinstance(value, str | int | float):
        return _printable(json.dumps(value, ensure_ascii=False)[: _SHOWN + 20])
    return f"a {type(value).__name__}"


def _printable(text: str) -> str:
    """Escape what would move the cursor, or turn the direction of writing."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


def listed(words: Sequence[str]) -> str:
    """Words one after the other; of very many, the first."""
    more = len(words) - _LISTED
    return ", ".join(words[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def kind_of(value: object) -> str:
    """What JSON calls this value, with its article."""
    for kind, name in {**_KINDS, str: "a string", bool: "true or false"}.items():
        if isinstance(value, kind):
            return name
    return "null" if value is None else "a number"


def path_text(path: Iterable[str | int]) -> str:
    """Spell a path: `plugins[0].config.high.es`, `speakers["alice@example"].interpret`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part) and shown(part) == f'"{part}"':
            text += f".{part}" if text else part
        else:
            word = shown(part)
            text += f"[{word}]" if word.startswith('"') else "[…]"
    return text
