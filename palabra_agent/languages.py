"""Language codes: the list of either side, their spelling, and when two mean the same language.

Codes are Palabra's: lower case, a region after a hyphen (`en`, `en-us`, `zh-hans`). The two lists
are the ones that Palabra's validator names; sources and targets differ.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final, NewType

LanguageCode = NewType("LanguageCode", str)
"""A normalised code: lower case, hyphens."""

AUTO: Final = LanguageCode("auto")
"""Source language that Palabra detects by itself."""

SOURCE_LANGUAGES: Final = frozenset(
    LanguageCode(code)
    for code in (
        "af am ar as auto az be bg bn bs ca ceb cs cy da de el en es et eu fa fi fil fr ga gl "
        "gu ha he hi hr hu hy id ig is it ja jv ka kk km kn ko ku ky lb lg ln lo lt lv mi mk ml "
        "mn mr ms mt my ne nl no ny or pa pl ps pt ro ru sd sk sl sn so sq sr sv sw ta te tg th "
        "tl tr ug uk ur uz vi wo xh yue zh zu"
    ).split()
)
"""Accepted by Palabra as `source_language`; a region suffix is stripped before."""

TARGET_LANGUAGES: Final = frozenset(
    LanguageCode(code)
    for code in (
        "af ar ar-ae ar-sa az be bg bn bs ca cs cy da de el en en-au en-ca en-gb en-us es es-ar "
        "es-ch es-co es-eu es-la es-mx et fa fi fil fr fr-ca fr-eu gl gu he hi hr hu hy id is "
        "it ja ka kk kn ko lt lv mi mk ml mr ms ne nl no pa pl pt pt-br pt-eu pt-la ro ru sk sl "
        "sr sv sw ta te th tl tr uk ur vi zh zh-hans zh-hant"
    ).split()
)
"""Accepted by Palabra as `target_language`."""


def normalise(code: str) -> LanguageCode:
    """Spell a code as Palabra does: `es_MX` and `ES-mx` become `es-mx`."""
    return LanguageCode(code.strip().lower().replace("_", "-"))


def base(code: str) -> LanguageCode:
    """The language without its region or script: `en-us` is `en`."""
    return LanguageCode(normalise(code).partition("-")[0])


def same_language(one: str, other: str) -> bool:
    """Tell whether two codes name one language, whatever their regions: `en` and `en-us` do."""
    return base(one) == base(other)


def match(wanted: str, offered: Iterable[LanguageCode]) -> LanguageCode | None:
    """The offered code that a person who asks for `wanted` means, if any.

    The exact code wins; else an offered code of the same language, if there is just one.
    """
    code = normalise(wanted)
    codes = list(offered)

    if code in codes:
        return code

    alike = [candidate for candidate in codes if same_language(candidate, code)]
    return alike[0] if len(alike) == 1 else None


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A clause such as `, did you mean "es"?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""
