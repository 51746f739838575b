"""Reading a JSON object field by field, collecting every error in the words of Palabra's validator.

Palabra validates with pydantic 1 and shows its error list as text, so the messages, the type names
and the way a error is located are that library's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias, cast

Location: TypeAlias = tuple[str | int, ...]

_YES: Final = frozenset({"1", "on", "t", "true", "y", "yes"})
_NO: Final = frozenset({"0", "off", "f", "false", "n", "no"})

_LARGEST: Final = 10**15
"""No number needs to be larger; whole ones of any size can be sent, and not all are floats."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong."""

    loc: Location
    msg: str
    type: str
    ctx: Mapping[str, object] | None = None

    def entry(self) -> dict[str, object]:
        """This error as an entry of the validator's error list."""
        entry: dict[str, object] = {"loc": self.loc, "msg": self.msg, "type": self.type}
        if self.ctx is not None:
            entry["ctx"] = dict(self.ctx)

        return entry


class InvalidCommand(Exception):
    """A command whose fields are wrong."""

    def __init__(self, model: str, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        self.desc = (
            f"ValidationError(model={model!r}, errors={[it.entry() for it in self.errors]!r})"
        )
        """The text of the validator's exception, as the error message has it."""
        super().__init__(model)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of one object; each accessor reads one, and notes what is wrong with it."""

    values: Mapping[str, object]
    loc: Location = ()
    errors: list[FieldError] = field(default_factory=list[FieldError])
    """Shared by all objects of one message."""

    def note(self, name: str, msg: str, kind: str, ctx: Mapping[str, object] | None = None) -> None:
        """Note that something is wrong with a field."""
        self.errors.append(FieldError((*self.loc, name), msg, kind, ctx))

    def require(self, name: str) -> None:
        """Note a field that is missing, or null."""
        if name not in self.values:
            self.note(name, "field required", "value_error.missing")
        self.refuse_null(name)

    def refuse_null(self, name: str) -> None:
        """Note a field that is null; it may be absent."""
        if name in self.values and self.values[name] is None:
            self.note(name, "none is not an allowed value", "type_error.none.not_allowed")

    def section(self, name: str) -> Fields:
        """The object in a field; without fields where there is none."""
        return self._object(self.values.get(name), (*self.loc, name))

    def sections(self, name: str) -> list[Fields]:
        """The objects in a list."""
        loc = (*self.loc, name)
        return [self._object(value, (*loc, place)) for place, value in self._numbered(name)]

    def text(self, name: str) -> str | None:
        """A text."""
        value = self.values.get(name)
        if value is None or isinstance(value, str):
            return value

        self.note(name, "str type expected", "type_error.str")
        return None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found: list[str] = []
        for place, value in self._numbered(name):
            if isinstance(value, str):
                found.append(value)
            else:
                error = FieldError((*self.loc, name, place), "str type expected", "type_error.str")
                self.errors.append(error)

        return tuple(found)

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no, also where it is written as a text or as 1 or 0."""
        value = as_flag(self.values.get(name))
        if value is None:
            return default
        if isinstance(value, bool):
            return value

        self.note(name, "value could not be parsed to a boolean", "type_error.bool")
        return default

    def number(
        self, name: str, default: float, *, ge: float | None = None, le: float | None = None
    ) -> float:
        """A number within bounds, also where it is written as a text."""
        value = as_number(self.values.get(name))
        if value is None:
            return default
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not -_LARGEST <= value <= _LARGEST
        ):
            self.note(name, "value is not a valid float", "type_error.float")
            return default

        if ge is not None and value < ge:
            text = f"ensure this value is greater than or equal to {ge}"
            self.note(name, text, "value_error.number.not_ge", {"limit_value": ge})
        if le is not None and value > le:
            text = f"ensure this value is less than or equal to {le}"
            self.note(name, text, "value_error.number.not_le", {"limit_value": le})

        return value

    def literal(self, name: str, permitted: tuple[str, ...]) -> None:
        """A word out of a few, as the validator checks constants."""
        value = self.values.get(name)
        if value is not None and value not in permitted:
            text = f"unexpected value; permitted: {_listed(permitted)}"
            ctx = {"given": value, "permitted": permitted}
            self.note(name, text, "value_error.const", ctx)

    def member(self, name: str, value: str | None, permitted: Iterable[str]) -> None:
        """A word out of an enumeration."""
        allowed = tuple(permitted)
        if value is not None and value not in allowed:
            text = f"value is not a valid enumeration member; permitted: {_listed(allowed)}"
            self.note(name, text, "type_error.enum", {"enum_values": list(allowed)})

    def _object(self, value: object, loc: Location) -> Fields:
        if value is not None and not isinstance(value, dict):
            self.errors.append(FieldError(loc, "value is not a valid dict", "type_error.dict"))

        inner = cast("dict[str, object]", value) if isinstance(value, dict) else {}
        return Fields(inner, loc, self.errors)

    def _numbered(self, name: str) -> list[tuple[int, object]]:
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.note(name, "value is not a valid list", "type_error.list")
            return []

        return list(enumerate(cast("list[object]", value)))


def as_number(value: object) -> object:
    """The number that a text says, as the validator reads it; all else as it is."""
    if not isinstance(value, str):
        return value

    for read in (int, float):
        with suppress(ValueError):
            return read(value)

    return value


def as_flag(value: object) -> object:
    """The yes or no that a word or a number says, as the validator reads it; all else as it is."""
    if not isinstance(value, str | int | float):
        return value

    word = str(value).lower()
    return word in _YES if word in _YES | _NO else value


def _listed(words: Iterable[str]) -> str:
    return ", ".join(repr(word) for word in words)
