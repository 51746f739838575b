"""Building blocks of configuration models, each with the sentence for a value that it refuses.

The strict base model, ways to refuse, switches, numbers with a range, names, and language codes:
spelt Palabra's way, or refused with the one that was probably meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_core import core_schema as core

from palabra_agent.config.wording import Path, shown
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    base,
    did_you_mean,
    find_source,
    find_target,
    normalise,
)

REFUSED: Final = "refused"
"""Error type of `refusal`: the message is the sentence."""

Refusal: TypeAlias = tuple[Path, PydanticCustomError]
"""A refusal and its place below the field that is being checked."""


class ConfigModel(BaseModel):
    """A part of a configuration: it is never changed, and unknown keys in it are refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    elsewhere: ClassVar[Mapping[str, str]] = {}
    """Keys that people write here by mistake, each with the sentence that says where it belongs."""

    of_strays: ClassVar[str] = ""
    """The place where any other key may belong, as the end of a sentence."""


def refusal(reason: str, *, at: str | None = None) -> PydanticCustomError:
    """The refusal of a value, in our own words.

    Args:
        reason: The end of a sentence that begins with the path of the value.
        at: The field beside it, when that is the wrong one; empty: the whole that they are in.
    """
    context: dict[str, Any] = {"reason": reason}
    if at is not None:
        context["at"] = at
    return PydanticCustomError(REFUSED, "{reason}", context)


def refuse_all(mistakes: Sequence[Refusal]) -> None:
    """Raise every given refusal at once, if there is any."""
    if mistakes:
        details = [InitErrorDetails(type=why, loc=loc, input=None) for loc, why in mistakes]
        raise ValidationError.from_exception_data("configuration", details)


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

_HOW_TO_LIST: Final = "`palabra-agent schema` lists the codes"

_SOURCE_SHAPE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")

_OTHER_NAMES: Final[Mapping[str, str]] = {
    "vn": "vi", "jp": "ja", "cn": "zh", "kr": "ko", "ua": "uk", "cz": "cs", "gr": "el",
    "dk": "da", "se": "sv", "by": "be", "ge": "ka", "br": "pt-br", "tw": "zh-hant",
    "arabic": "ar", "chinese": "zh", "dutch": "nl", "english": "en", "french": "fr",
    "german": "de", "italian": "it", "japanese": "ja", "korean": "ko", "polish": "pl",
    "portuguese": "pt", "russian": "ru", "spanish": "es", "turkish": "tr", "ukrainian": "uk",
    "vietnamese": "vi",
}  # fmt: skip
"""Countries and names that people write where a language code belongs."""


def check_target(value: object) -> LanguageCode:
    """Read the code of a language that Palabra speaks, however it is written; refuse any other."""
    code = _code(value)
    if code == AUTO:
        raise refusal('"auto" is not a language to interpret into')
    if (target := find_target(code)) is not None:
        return target
    if (source := find_source(code)) is not None:
        raise refusal(f'"{source}" is understood by Palabra but not spoken; {_HOW_TO_LIST}')
    raise refusal(_unknown(code, TARGET_LANGUAGES))


def check_spoken(value: object) -> LanguageCode:
    """Read the code of a language that Palabra understands, likewise; `auto` is none.

    A region stays where it is written beside Palabra's own code.
    """
    code = _code(value)
    if code == AUTO:
        raise refusal('"auto" is not one of the languages that may be detected')
    source = find_source(code)
    if source is None:
        raise refusal(_unknown(code, SOURCE_LANGUAGES))
    return code if base(code) == source and _SOURCE_SHAPE.fullmatch(code) else source


def check_source(value: object) -> LanguageCode:
    """Read the code of a language that Palabra understands, or `auto`."""
    return AUTO if isinstance(value, str) and _code(value) == AUTO else check_spoken(value)


def _code(value: object) -> LanguageCode:
    if not isinstance(value, str):
        raise refusal(f"must be a language code, not {shown(value)}")
    return normalise(value)


def _unknown(code: str, known: Collection[LanguageCode]) -> str:
    """Name the code, guess what was meant, say where the allowed ones are."""
    for guess in (_OTHER_NAMES.get(code), base(code)):
        if guess in known and guess != AUTO:
            return f'{shown(code)} is not a known language, did you mean "{guess}"? {_HOW_TO_LIST}'
    hint = did_you_mean(code[:30], known)
    return f"{shown(code)} is not a known language{hint or ';'} {_HOW_TO_LIST}"


def _each(check: Callable[[object], LanguageCode]) -> Callable[[object], object]:
    """Check every code of a list, reporting all mistakes, repetitions included."""

    def codes(value: object) -> object:
        if not isinstance(value, list | tuple):
            return value
        known: dict[LanguageCode, None] = {}
        mistakes: list[Refusal] = []
        for index, item in enumerate(value):
            try:
                code = check(item)
            except PydanticCustomError as mistake:
                mistakes.append(((index,), mistake))
                continue
            if code in known:
                mistakes.append(((index,), refusal(f'"{code}" is given twice')))
            known[code] = None
        refuse_all(mistakes)
        return tuple(known)

    return codes


_TARGET_SCHEMA: Final[dict[str, Any]] = {"type": "string", "enum": sorted(TARGET_LANGUAGES)}
_SPOKEN: Final = f"({'|'.join(sorted(SOURCE_LANGUAGES - {AUTO}))})(-[a-z0-9]{{2,8}})*"
_SPOKEN_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": f"^{_SPOKEN}$"}
_SOURCE_SCHEMA: Final[dict[str, Any]] = {"type": "string", "pattern": f"^({AUTO}|{_SPOKEN})$"}


def _listed(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"type": "array", "items": item, "uniqueItems": True})


TargetCode = Annotated[LanguageCode, BeforeValidator(check_target), WithJsonSchema(_TARGET_SCHEMA)]
"""A language that Palabra speaks."""

SpokenCode = Annotated[LanguageCode, BeforeValidator(check_spoken), WithJsonSchema(_SPOKEN_SCHEMA)]
"""A language that Palabra understands."""

SourceCode = Annotated[LanguageCode, BeforeValidator(check_source), WithJsonSchema(_SOURCE_SCHEMA)]
"""A language that Palabra understands, or `auto`."""

TargetCodes = Annotated[
    tuple[LanguageCode, ...], BeforeValidator(_each(check_target)), _listed(_TARGET_SCHEMA)
]
SpokenCodes = Annotated[
    tuple[LanguageCode, ...], BeforeValidator(_each(check_spoken)), _listed(_SPOKEN_SCHEMA)
]
