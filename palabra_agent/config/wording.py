"""Values and paths of a configuration as they may stand in a sentence: short, and never a secret.

A value is secret by its looks, by its key, or by the type that a model gives it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Final, TypeAlias, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, Secret, SecretBytes, SecretStr

Path: TypeAlias = tuple[str | int, ...]
"""The place of a value: keys, and positions in lists."""

Model: TypeAlias = type[BaseModel]

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
_SHORTEST_SECRET: Final = 4
"""A shorter one would be found in every sentence."""
_KINDS: Final[Mapping[type, str]] = {dict: "an object", list: "a list", tuple: "a list"}


def is_credential_key(key: str | int) -> bool:
    """Tell whether a value under this key must not be shown."""
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


def json_kind(value: object) -> str:
    """The name of a value's kind in JSON, with its article."""
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


def is_hidden(model: Model, place: Path) -> bool:
    """Tell whether the value at a place, or one that it is a part of, must not be shown."""
    return any(
        is_credential_key(part) or any(map(_is_secret, types_at(model, place[: end + 1])))
        for end, part in enumerate(place)
    )


def secrets_in(model: Model, written: object, place: Path = ()) -> Iterator[str]:
    """Every string that was written where a secret belongs."""
    if isinstance(written, str):
        if len(written) >= _SHORTEST_SECRET and is_hidden(model, place):
            yield written
    elif isinstance(written, Mapping):
        for key, value in written.items():
            yield from secrets_in(model, value, (*place, str(key)))
    elif isinstance(written, list | tuple):
        for index, value in enumerate(written):
            yield from secrets_in(model, value, (*place, index))


def secret_key_in(model: Model, above: frozenset[Model] = frozenset()) -> str | None:
    """The path of the first key of a model, or of one within it, whose type is secret."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if _is_secret(field.annotation):
            return key
        for inner in set(_models_in(field.annotation)) - above - {model}:
            found = secret_key_in(inner, above | {model})
            if found is not None:
                return f"{key}.{found}"
    return None


def types_at(annotation: object, place: Path) -> Sequence[object]:
    """The types that a value at a place may have: one, or the members of a union."""
    members = _members(annotation)
    if not place:
        return members
    key, below = place[0], place[1:]
    return [
        each
        for member in members
        for within in _within(member, key)
        for each in types_at(within, below)
    ]


def is_model(annotation: object) -> TypeGuard[Model]:
    """Tell whether a type is a model."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _members(annotation: object) -> list[object]:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _members(get_args(annotation)[0])
    if origin in {Union, UnionType}:
        return [each for member in get_args(annotation) for each in _members(member)]
    return [annotation]


def _within(kind: object, key: str | int) -> Iterator[object]:
    """The type of what stands under a key of a model or mapping, or at a position of a list."""
    if is_model(kind):
        for name, field in kind.model_fields.items():
            if key in {name, field.alias}:
                yield field.annotation
    elif arguments := get_args(kind):
        yield arguments[0] if isinstance(key, int) else arguments[-1]


def _models_in(annotation: object) -> Iterator[Model]:
    if is_model(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _is_secret(annotation: object) -> bool:
    """Tell whether a value of this type is secret, or holds one that is."""
    origin = get_origin(annotation) or annotation
    is_secret = isinstance(origin, type) and issubclass(origin, SecretStr | SecretBytes | Secret)
    return is_secret or any(map(_is_secret, get_args(annotation)))
