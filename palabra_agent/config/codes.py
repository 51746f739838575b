"""Language codes as configuration fields: spelt Palabra's way, or refused with what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from palabra_agent.config.fields import Mistake, refusal, refuse_all
from palabra_agent.config.wording import shown
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    base,
    did_you_mean,
    normalise,
)

_HOW_TO_LIST: Final = "`palabra-agent schema` lists the codes"

_SOURCE_SHAPE: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")

_OTHER_NAMES: Final[Mapping[str, str]] = {
    "vn": "vi", "jp": "ja", "cn": "zh", "kr": "ko", "ua": "uk", "cz": "cs", "gr": "el",
    "dk": "da", "se": "sv", "iw": "he", "nb": "no", "by": "be", "ge": "ka", "br": "pt-br",
    "uk-ua": "uk", "cmn": "zh", "tw": "zh-hant", "arabic": "ar", "chinese": "zh",
    "dutch": "nl", "english": "en", "french": "fr", "german": "de", "italian": "it",
    "japanese": "ja", "korean": "ko", "polish": "pl", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip
"""Countries and names that people write where a language code belongs."""


def check_target(value: object) -> LanguageCode:
    """Normalise a code that Palabra speaks; refuse any other."""
    code = _code(value)
    if code in TARGET_LANGUAGES:
        return code
    if code == AUTO:
        raise refusal('"auto" is not a language to interpret into')
    if code in SOURCE_LANGUAGES:
        raise refusal(f'"{code}" is understood by Palabra but not spoken; {_HOW_TO_LIST}')
    raise refusal(_unknown(code, TARGET_LANGUAGES))


def check_spoken(value: object) -> LanguageCode:
    """Normalise a code that Palabra understands, region allowed; refuse any other, and `auto`."""
    code = _code(value)
    if code == AUTO:
        raise refusal('"auto" is not one of the languages that may be detected')
    if _SOURCE_SHAPE.fullmatch(code) and base(code) in SOURCE_LANGUAGES - {AUTO}:
        return code
    raise refusal(_unknown(code, SOURCE_LANGUAGES))


def check_source(value: object) -> LanguageCode:
    """Normalise a code that Palabra understands, or `auto`."""
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
        mistakes: list[Mistake] = []
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
