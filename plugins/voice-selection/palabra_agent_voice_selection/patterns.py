"""Patterns such as `guest-*`: as a config field, and what fits one."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from palabra_agent_voice_selection.wording import distinct, listed, not_empty

_PATTERN_SCHEMA: Final = {"type": "string", "minLength": 1, "maxLength": 256}

Patterns = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=256)], ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    WithJsonSchema(
        {
            "anyOf": [
                _PATTERN_SCHEMA,
                {"type": "array", "items": _PATTERN_SCHEMA, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
"""One or several texts, in which `*` stands for anything, `?` for one character."""


def fits(patterns: tuple[str, ...], value: str) -> bool:
    """Whether a value is one of the texts, or looks like one of the patterns."""
    return _compiled(patterns).fullmatch(value) is not None


def fits_in_any_case(patterns: tuple[str, ...], value: str) -> bool:
    """The same, where upper and lower case make no difference."""
    return fits(_folded(patterns), value.casefold())


@lru_cache(maxsize=1024)
def _folded(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern.casefold() for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    meant = (form for pattern in patterns for form in (re.escape(pattern), translate(pattern)))
    return re.compile("|".join(f"(?:{form})" for form in meant))
