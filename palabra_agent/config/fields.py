"""What configuration fields are made of.

The strict base model, switches, numbers with a range, and the ways to refuse a value in our own
words: all that a model needs in order to say what it allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, LiteralString, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core import core_schema as core

from palabra_agent.config.wording import Path, shown

REFUSED: Final = "refused"
"""Error type of `refusal`: the message is the sentence."""

NOT_AVAILABLE: Final = "not_available"
"""Error type of `not_available`: the sentence is made where the whole path is known."""


Mistake: TypeAlias = tuple[Path, PydanticCustomError]
"""A refusal and its place below the field that is being checked."""


class ConfigModel(BaseModel):
    """A part of a configuration: never changed, and nothing in it that nobody reads."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that people expect here, with the sentence that says where they belong."""

    of_strays: ClassVar[str] = ""
    """Where any other key may belong, as the end of a sentence."""


def refusal(reason: str, *, at: str | None = None) -> PydanticCustomError:
    """A mistake in our own words; `at` names the field beside it when that is the wrong one."""
    context: dict[str, Any] = {"reason": reason}
    if at is not None:
        context["at"] = at
    return PydanticCustomError(REFUSED, "{reason}", context)


def refuse_all(mistakes: Sequence[Mistake]) -> None:
    """Raise every given mistake at once, if there is any."""
    if mistakes:
        details = [InitErrorDetails(type=why, loc=loc, input=None) for loc, why in mistakes]
        raise ValidationError.from_exception_data("configuration", details)


def not_available(value: str) -> PydanticCustomError:
    """What the contract names and this version cannot do."""
    template: LiteralString = "`{value}` is not available in this version"
    return PydanticCustomError(NOT_AVAILABLE, template, {"value": value})


@dataclass(frozen=True, slots=True)
class Between:
    """A number's range, both ends allowed; refused with the value and the range."""

    low: float
    high: float | None = None

    def check(self, value: float) -> float:
        """Let a number through that lies in the range."""
        if value < self.low or (self.high is not None and value > self.high):
            raise refusal(f"must be {self}, not {str(value).removesuffix('.0')}")
        return value

    def __str__(self) -> str:
        if self.high is None:
            return f"at least {self.low}"
        return f"between {self.low} and {self.high}"

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core.CoreSchema:
        return core.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        described["minimum"] = self.low
        if self.high is not None:
            described["maximum"] = self.high
        return described


def repeated(words: Iterable[str]) -> list[str]:
    """The words that occur more than once."""
    return [word for word, count in Counter(words).items() if count > 1]


def distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    """Let a list through that names nothing twice."""
    refuse_all([((), refusal(f"{shown(value)} is given twice")) for value in repeated(values)])
    return values


Switch = Annotated[bool, Strict()]
"""`true` or `false`, not a word for it."""

Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]

Name = Annotated[str, Field(min_length=1, max_length=256)]
Names = Annotated[
    tuple[Name, ...], AfterValidator(distinct), Field(json_schema_extra={"uniqueItems": True})
]
"""Distinct names."""
