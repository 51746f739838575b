"""Patterns such as `guest-*`: as a config field, and what fits one."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from palabra_agent_voice_selection.lists import OneOrSeveral, distinct, listed, not_empty

Patterns: TypeAlias = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=256)], ...],
    BeforeValidator(listed),
    AfterValidator(not_empty),
    AfterValidator(distinct),
    OneOrSeveral(),
]
"""One or several texts, in which `*` stands for anything, `?` for one character."""


def fits(patterns: tuple[str, ...], value: str) -> bool:
    """Whether a value looks like one of the patterns; a text without any looks like itself."""
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
