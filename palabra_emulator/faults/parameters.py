"""What a parameter of a fault may be: its values, its default, and the words for a wrong one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol, cast

_SHOWN: Final = 60


class Domain(Protocol):
    """Some values that are allowed."""

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        ...

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class OneOf:
    """A few words or numbers."""

    values: tuple[str | int, ...]

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return any(type(value) is type(it) and value == it for it in self.values)

    def __str__(self) -> str:
        return " or ".join(
            [", ".join(map(shown, self.values[:-1])), *map(shown, self.values[-1:])]
            if len(self.values) > 1
            else map(shown, self.values)
        )


@dataclass(frozen=True, slots=True)
class Between:
    """Numbers of a range, both ends allowed."""

    low: float
    high: float
    is_whole: bool = True

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        if isinstance(value, bool) or not isinstance(value, int if self.is_whole else int | float):
            return False

        return self.low <= value <= self.high

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        low, high = (f"{it:.2f}".rstrip("0").rstrip(".") for it in (self.low, self.high))
        return f"{kind} from {low} to {high}"


@dataclass(frozen=True, slots=True)
class Words:
    """Any text up to a length."""

    longest: int = 2_000

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return isinstance(value, str) and len(value) <= self.longest and _is_whole(value)

    def __str__(self) -> str:
        return f"a text of at most {self.longest} characters"


@dataclass(frozen=True, slots=True)
class Location:
    """Where in a message something stands: a list of keys and positions."""

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        if not isinstance(value, list) or not value:
            return False

        parts = cast("list[object]", value)
        return all(isinstance(part, str | int) and not isinstance(part, bool) for part in parts)

    def __str__(self) -> str:
        return "a list of keys and positions"


@dataclass(frozen=True, slots=True)
class Maybe:
    """Something, or null."""

    domain: Domain

    def admits(self, value: object, /) -> bool:
        """Whether a value is one of them."""
        return value is None or self.domain.admits(value)

    def __str__(self) -> str:
        return f"{self.domain}, or null"


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that can be chosen about a fault."""

    name: str
    domain: Domain
    default: object
    meaning: str

    def objection(self, value: object) -> str | None:
        """Why a value is refused, if it is."""
        if self.domain.admits(value):
            return None

        hint = ""
        if isinstance(self.domain, OneOf) and isinstance(value, str):
            hint = did_you_mean(value, map(str, self.domain.values))
        return f"must be {self.domain}, not {shown(value)}{hint}"


def _is_whole(text: str) -> bool:
    """Whether no character of a text is a lone surrogate, which cannot be sent."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shown(value: object) -> str:
    """A value as it may stand in a sentence: on one line, and short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """End a sentence with the word that was probably meant, if one is close."""
    by_lower = {it.lower(): it for it in known}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"; did you mean {shown(by_lower[close[0]])}?" if close else ""
