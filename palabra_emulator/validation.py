"""Pydantic's errors as sentences: the field, the value that was given, and what is allowed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Annotated, Any, Final, Literal, LiteralString, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from palabra_agent.errors import Problem

_SHOWN_CHARACTERS: Final = 60
_OUR_OWN: Final[LiteralString] = "sentence"
"""The type of an error whose message is a sentence already."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A field as people read about it."""

    name: str
    meaning: str
    default: object
    allowed: str
    """Its values, as they stand in a sentence after "must be"."""
    choices: tuple[str, ...] = ()
    """All its values, where they are a few words."""


def parameter(name: str, field: FieldInfo) -> Parameter:
    """Describe a field of a pydantic model."""
    extra = field.json_schema_extra
    given = extra.get("allowed") if isinstance(extra, dict) else None
    allowed = str(given) if given else _allowed(field.annotation, field.metadata)
    choices = tuple(str(it) for it in _literals(field.annotation))
    return Parameter(name, field.description or "", field.default, allowed, choices)


def choice(of: Parameter, choices: tuple[str, ...]) -> Parameter:
    """The same field, of which only a few words are allowed; the first is the default."""
    return replace(of, default=choices[0], allowed=_listed(choices), choices=choices)


def plain_error(reason: str, field: str = "") -> PydanticCustomError:
    """Make the error of a validator of our own: a sentence that is told as it is.

    Args:
        reason: What is wrong with the field, and what is allowed.
        field: Which one it is about, where the whole model is validated.
    """
    return PydanticCustomError(_OUR_OWN, "{reason}", {"reason": reason, "field": field})


def problems(
    error: ValidationError, parameters: Mapping[str, Parameter], given: Mapping[str, object]
) -> list[Problem]:
    """Say what is wrong with each field, once.

    Args:
        error: What pydantic found.
        parameters: All fields of the model.
        given: What was validated.
    """
    found: dict[str, Problem] = {}
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0] if detail["loc"] else detail.get("ctx", {})["field"])
        reason = detail["msg"]
        if detail["type"] != _OUR_OWN:
            reason = wrong(parameters[name], given.get(name))
        found.setdefault(name, Problem(name, reason))

    return list(found.values())


def wrong(expected: Parameter, value: object) -> str:
    """Say that a value is not one of those that are allowed."""
    hint = did_you_mean(value, expected.choices) if isinstance(value, str) else ""
    return f"must be {expected.allowed}, not {shown(value)}{hint}"


def shown(value: object) -> str:
    """A value as it may stand in a sentence: on one line, and short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a sentence with the word that was probably meant, if one is close."""
    by_lower = {it.lower(): it for it in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {shown(by_lower[close[0]])}?" if close else ""


def _allowed(annotation: object, metadata: Iterable[object]) -> str:
    """The values of a type, in words."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _allowed(inner, [*metadata, *_unpacked(more)])
    if origin in {Union, UnionType}:
        inner = next(it for it in get_args(annotation) if it is not type(None))
        return f"{_allowed(inner, metadata)}, or null"
    if origin is Literal:
        return _listed(get_args(annotation))
    if annotation is bool:
        return "true or false"

    limits = {type(it).__name__: it for it in metadata}
    if annotation is int or annotation is float:
        return _range("a whole number" if annotation is int else "a number", limits)

    longest = getattr(limits.get("MaxLen"), "max_length", None)
    if longest is not None:
        return f"a text of at most {longest} characters"

    return "a text that is not empty" if "MinLen" in limits else "a text"


def _range(kind: str, limits: Mapping[str, Any]) -> str:
    low, high = (f"{it:.2f}".rstrip("0").rstrip(".") for it in (limits["Ge"].ge, limits["Le"].le))
    return f"{kind} from {low} to {high}"


def _unpacked(metadata: Iterable[object]) -> Iterable[object]:
    for it in metadata:
        yield from it.metadata if isinstance(it, FieldInfo) else (it,)


def _literals(annotation: object) -> tuple[object, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)

    return tuple(it for inner in get_args(annotation) for it in _literals(inner))


def _listed(values: tuple[object, ...]) -> str:
    words = [shown(it) for it in values]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
