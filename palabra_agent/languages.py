"""Language codes: the list of either side, their spelling, and what people mean by a code.

Codes are Palabra's: lower case, a region after a hyphen (`en`, `en-us`, `zh-hans`). The two lists
are the ones that Palabra's validator names; sources and targets differ.

People, browsers, phones and config files write codes of BCP 47 in many ways (`nb-NO`, `iw`,
`zh-TW`, `de_AT.UTF-8`). `find_source`, `find_target` and `nearest` read them, by the data of
Unicode's CLDR; `normalise`, `base` and `match` compare codes that Palabra writes.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile
from typing import Final, NewType

from langcodes import Language

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

_UNDOCUMENTED_TARGETS: Final = frozenset({"es-eu", "fr-eu", "pt-eu", "pt-la"})
"""Accepted by the validator, but in no list of Palabra's: meant only by those who write them."""

EVERY_TARGET: Final = tuple(sorted(TARGET_LANGUAGES - _UNDOCUMENTED_TARGETS))
"""All targets that Palabra documents: the offer of a room that names none."""

_SOURCES: Final = tuple(sorted(SOURCE_LANGUAGES - {AUTO}))

_MEANINGS: Final = {
    "es-ch": "es-cl",
    "es-eu": "es-es",
    "es-la": "es-419",
    "fr-eu": "fr-fr",
    "pt-eu": "pt-pt",
    "pt-la": "pt-br",
    # newer editions of CLDR than that of langcodes count both among the American ones
    "en-ca": "en-us",
    "en-ph": "en-us",
}
"""Codes that mean something else than BCP 47 says, most of them Palabra's own."""

_NORWEGIAN: Final = frozenset({"nb", "nn"})
"""Both written forms of it; Palabra knows one, `no`."""

_LONGEST: Final = 100
"""Characters of a code; what is longer is none."""

_WRITTEN: Final = re.compile(
    r"(?P<tag>[a-z]{2,3}(?:[-_]+\#?[a-z0-9]{1,8})*)"
    r"(?:\.[\w-]+)?(?:@[\w=;,-]+)?",  # POSIX: encoding and modifier
    re.ASCII | re.IGNORECASE,
)
_FURTHEST: Final = 10
"""The distance by CLDR, from 0 to 135, up to which a language stands in for another."""


def normalise(code: str) -> LanguageCode:
    """Spell a code as Palabra does: `es_MX` and `ES-mx` become `es-mx`."""
    return LanguageCode(code.strip().lower().replace("_", "-"))


def base(code: str) -> LanguageCode:
    """The language without its region or script: `en-us` is `en`."""
    return LanguageCode(normalise(code).partition("-")[0])


def same_language(one: str, other: str) -> bool:
    """Tell whether two codes name one language, whatever their regions: `en` and `en-us` do.

    So do the old and the new code of a language, such as `iw` and `he`.
    """
    first, second = _meaning(one), _meaning(other)
    if first is None or second is None:
        return base(one) == base(other)

    return first.language == second.language


def match(wanted: str, codes: Iterable[LanguageCode]) -> LanguageCode | None:
    """The one of `codes` that Palabra means by `wanted`, if any.

    The exact code wins; else a code of the same language, if there is just one.
    """
    code, known = normalise(wanted), list(codes)
    if code in known:
        return code

    alike = [candidate for candidate in known if same_language(candidate, code)]
    return alike[0] if len(alike) == 1 else None


def nearest(wanted: str, offered: Iterable[LanguageCode]) -> LanguageCode | None:
    """The offered code that serves a person who asks for `wanted` best, if any.

    The exact code wins; else the language counts before its script, and that before its region. Of
    codes that are equally near, the plain one is taken, or that of a whole continent, or the
    first. For a language that Palabra does not know, one that its speakers understand stands in:
    German for `gsw`.
    """
    return _nearest(wanted[: _LONGEST + 1], tuple(offered))


def find_source(written: str) -> LanguageCode | None:
    """The language that Palabra recognises and that is meant, without a region: `en_US` is `en`."""
    return nearest(written, _SOURCES)


def find_target(written: str) -> LanguageCode | None:
    """The code that Palabra speaks and that is meant: `nb-NO` is `no`, `zh-TW` is `zh-hant`."""
    code = normalise(written)
    if code in TARGET_LANGUAGES:
        return LanguageCode(code)

    return nearest(written, EVERY_TARGET)


def spell_target(key: str) -> LanguageCode:
    """Spell a key that may name a target, so that two ways to write one are the same."""
    return find_target(key) or normalise(key)


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A clause such as `, did you mean "es"?`, or nothing when no known word is near."""
    near = difflib.get_close_matches(wrong, sorted(known), n=1, cutoff=0.6)
    return f', did you mean "{near[0]}"?' if near else ""


@lru_cache(maxsize=4096)
def _nearest(wanted: str, offered: tuple[LanguageCode, ...]) -> LanguageCode | None:
    code, meant = normalise(wanted), _meaning(wanted)
    if code in offered:
        return code

    if meant is None:
        return None

    meanings = {candidate: _meaning(candidate) for candidate in offered}
    known = {candidate: it for candidate, it in meanings.items() if it is not None}
    alike = [it for it, offer in known.items() if offer.language == meant.language]
    if not alike and not _is_known(meant):
        alike = [it for it, offer in known.items() if _is_understood(meant, offer)]

    def rank(candidate: LanguageCode) -> tuple[int, bool, bool, int, bool]:
        region = known[candidate].territory or ""
        return (
            meant.distance(known[candidate]),
            base(candidate) != base(code),
            region.isalpha() and region != meant.territory,
            len(candidate),
            candidate in _MEANINGS,
        )

    return min(alike, key=rank, default=None)


def _meaning(code: str) -> Language | None:
    """The language, script and region that a code names; None where it names no language."""
    return _read(code) if len(code) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _read(code: str) -> Language | None:
    """Read a code of BCP 47.

    Extensions (`-u-nu-latn`), variants and what POSIX adds say nothing about speech. Android puts
    the script behind the region: `zh_TW_#Hant`.
    """
    written = _WRITTEN.fullmatch(_MEANINGS.get(normalise(code), code.strip()))
    if written is None:
        return None

    language, *subtags = re.split("[-_#]+", written["tag"].lower())
    rest = list(takewhile(lambda subtag: len(subtag) > 1, subtags))
    extended = [it for it in rest[:1] if len(it) == 3 and it.isalpha()]
    scripts = [it for it in rest if len(it) == 4 and it.isalpha()]
    regions = [it for it in rest if _is_region(it)]
    try:
        found = Language.get("-".join([language, *extended, *scripts[:1], *regions[:1]]))
    except ValueError:
        return None

    spoken = found.prefer_macrolanguage()
    name = "no" if spoken.language in _NORWEGIAN else spoken.language
    return Language.make(name, script=spoken.script, territory=spoken.territory) if name else None


def _is_region(subtag: str) -> bool:
    is_country = len(subtag) == 2 and subtag.isalpha()
    return is_country or (len(subtag) == 3 and subtag.isdigit())


@lru_cache(maxsize=1024)
def _is_known(meant: Language) -> bool:
    """Tell whether Palabra tells a language apart from all others."""
    return any(same_language(code, meant.to_tag()) for code in SOURCE_LANGUAGES | TARGET_LANGUAGES)


def _is_understood(meant: Language, offered: Language) -> bool:
    """Tell whether speakers of a language understand another, wherever they live."""
    return _anywhere(meant).distance(_anywhere(offered)) <= _FURTHEST


def _anywhere(language: Language) -> Language:
    script = language.script or language.maximize().script
    return Language.make(language.language, script=script, territory="001")
