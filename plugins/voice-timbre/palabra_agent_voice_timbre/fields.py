"""What the config's fields are made of: voices by language, in any spelling, and the sentences.

A sentence that begins with `must` need not name the value: the host does, where it may be shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from palabra_agent.plugin import check_target, normalise

DEFAULT: Final = "default"
"""In voices by language: the ones for every other language."""

DEFAULT_HIGH: Final = "default_high"
DEFAULT_LOW: Final = "default_low"

Mistake: TypeAlias = tuple[tuple[str | int, ...], str]
"""A place below the field that is being checked, and the sentence."""

_LONGEST_ID: Final = 256

_ID_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": _LONGEST_ID}


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise all mistakes at once, each at its place, if there are any.

    Raises:
        ValidationError: With one error for each.
    """
    if not mistakes:
        return

    raise ValidationError.from_exception_data(
        "voices",
        [
            InitErrorDetails(
                type=PydanticCustomError("value_error", "{it}", {"it": why}), loc=loc, input=None
            )
            for loc, why in mistakes
        ],
    )


def _check_key(value: object) -> str:
    is_default = isinstance(value, str) and normalise(value) == DEFAULT
    return DEFAULT if is_default else check_target(value)


def _check_id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= len(value) <= _LONGEST_ID:
        raise ValueError(f"must be a voice id of 1 to {_LONGEST_ID} characters")

    meant = value.strip().lower().replace("-", "_")
    if meant in {DEFAULT_HIGH, DEFAULT_LOW} and meant != value:
        raise ValueError(f'"{value}" is no voice, did you mean "{meant}"?')

    return value


def not_empty(value: object) -> object:
    """Refuse an empty object or list before its contents are looked at.

    Afterwards one whose every entry was refused would be called empty, too.

    Raises:
        ValueError: With the sentence that says so.
    """
    if isinstance(value, dict | list | tuple) and not value:
        raise ValueError("must not be empty")

    return value


def _listed(value: object) -> object:
    """Take one id for a list of one."""
    if isinstance(value, str):
        return (value,)

    if not isinstance(value, list | tuple):
        raise ValueError("must be a voice id or a list of them")  # noqa: TRY004 - pydantic's door

    return value


def _distinct(voices: tuple[str, ...]) -> tuple[str, ...]:
    again = [position for position, voice in enumerate(voices) if voice in voices[:position]]
    refuse([((position,), f'"{voices[position]}" is given twice') for position in again])
    return voices


def _each_once(value: object) -> object:
    """Refuse a language that is there in two spellings, while both can still be seen."""
    if not isinstance(value, Mapping):
        return value

    keys = [key for key in value if isinstance(key, str)]
    codes = Counter(map(normalise, keys))
    refuse(
        [
            ((key,), f'"{normalise(key)}" is given twice, in two spellings')
            for key in keys
            if codes[normalise(key)] > 1
        ]
    )
    return value


VoiceIds = Annotated[
    tuple[Annotated[str, BeforeValidator(_check_id)], ...],
    BeforeValidator(_listed),
    BeforeValidator(not_empty),
    AfterValidator(_distinct),
    WithJsonSchema(
        {
            "anyOf": [
                _ID_SCHEMA,
                {"type": "array", "items": _ID_SCHEMA, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
"""One voice or several, in the order of dealing."""

Voices = Annotated[
    dict[Annotated[str, BeforeValidator(_check_key)], VoiceIds],
    BeforeValidator(_each_once),
    BeforeValidator(not_empty),
    Field(json_schema_extra={"minProperties": 1}),
]
"""Voices by target language; `default` for every other."""
