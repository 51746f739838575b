"""Fields of the config: lists, patterns and languages, with the sentences for all mistakes.

A sentence that begins with `must` need not name the value: the host does, where it may be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from palabra_agent.plugin import LanguageCode, SpokenCode, TargetCode, base

T = TypeVar("T")


class OneOrSeveral:
    """Says in the schema of a list that one of its kind may stand for a list of one."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        several = {**handler(schema), "minItems": 1, "uniqueItems": True}
        return {"anyOf": [several["items"], several]}


def listed(value: object) -> object:
    """Take one text for a list of one, and refuse what is neither.

    Raises:
        ValueError: With the sentence that says so.
    """
    if isinstance(value, str):
        return (value,)

    if not isinstance(value, list | tuple):
        raise ValueError("must be a text or a list of texts")  # noqa: TRY004 - pydantic's door

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
            raise ValueError(f'"{value}" is given twice')

    return values


Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=256)], ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several texts, in which `*` stands for anything, `?` for one character."""

Spoken: TypeAlias = Annotated[
    tuple[SpokenCode, ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several languages that people speak."""

Targets: TypeAlias = Annotated[
    tuple[TargetCode, ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several languages in which voices are heard."""


def fits(patterns: tuple[str, ...], value: str) -> bool:
    """Tell if a value looks like one of the patterns; a text without any looks like itself."""
    return _compiled(patterns).fullmatch(value) is not None


def fits_in_any_case(patterns: tuple[str, ...], value: str) -> bool:
    """The same, where upper and lower case make no difference."""
    return fits(_folded(patterns), value.casefold())


@lru_cache(maxsize=1024)
def _folded(patterns: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(pattern.casefold() for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    # what fnmatch takes for a set of characters is a bracket here
    plain = (pattern.replace("[", "[[]") for pattern in patterns)
    return re.compile("|".join(map(translate, plain)))


def covers(codes: Iterable[LanguageCode], target: LanguageCode) -> bool:
    """Tell if a target is meant: `es` means every Spanish, `es-mx` only that of Mexico."""
    return any(code in {target, base(target)} for code in codes)
