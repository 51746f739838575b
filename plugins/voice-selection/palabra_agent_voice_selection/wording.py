"""How a value appears in a sentence about a config: short, and on one line."""

from __future__ import annotations

import json
from typing import Final, TypeVar

_SHOWN: Final = 60

T = TypeVar("T")


def shown(value: object) -> str:
    """Spell a value as JSON does, or say what kind of thing it is."""
    match value:
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case str() if len(value) > _SHOWN:
            return json.dumps(f"{value[:_SHOWN]}…", ensure_ascii=False)
        case str() | bool() | int() | float() | None:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return f"a {type(value).__name__}"


def listed(value: object) -> object:
    """Take one text for a list of one, and refuse what is neither.

    Raises:
        ValueError: With the sentence that says so.
    """
    if isinstance(value, str):
        return (value,)

    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a text or a list of texts, not {shown(value)}")  # noqa: TRY004 - pydantic's door

    return value


def not_empty(values: tuple[T, ...]) -> tuple[T, ...]:
    """Let a list through that holds something; only asked where all that it holds is right.

    Raises:
        ValueError: It is empty.
    """
    if not values:
        raise ValueError("must not be empty")

    return values


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Let a list through that names nothing twice.

    Raises:
        ValueError: With the first that is there twice.
    """
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"{shown(value)} is given twice")

    return values
