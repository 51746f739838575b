"""The version of an utterance that a person reads: the original, or a translation. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal, TypeAlias, get_args

from palabra_agent.interpretation.ports import Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.wishes import listening_language_of
from palabra_agent.languages import LanguageCode, same_language

Version: TypeAlias = LanguageCode | None
"""A target language, or None for the original."""

CaptionsWish: TypeAlias = Literal["translation", "both", "off"]
"""The captions that a person wants: their version, the original beside it, or none."""

CAPTIONS_ATTRIBUTE: Final = "palabra.captions"


def version_for(
    person: Person,
    *,
    speaker: str,
    spoken: LanguageCode,
    targets: Collection[LanguageCode],
    regime: Regime,
) -> Version:
    """Decide which version of an utterance a person gets.

    Args:
        person: The reader.
        speaker: Identity of the speaker, who always gets their own words.
        spoken: Language of the original.
        targets: The languages that the speaker is interpreted into.
        regime: The room's languages.
    """
    wanted = listening_language_of(person, regime)
    if wanted is None or person.identity == speaker or same_language(wanted, spoken):
        return None

    return wanted if wanted in targets else None


def captions_wanted_by(person: Person) -> CaptionsWish:
    """The captions that a person wants, as their attribute says; a word of none counts as none."""
    said = person.attributes.get(CAPTIONS_ATTRIBUTE, "").strip().lower()
    return next((it for it in get_args(CaptionsWish) if it == said), "translation")


def reads_caption(person: Person, *, is_theirs: bool, is_translation: bool) -> bool:
    """Tell whether a person gets an utterance's captions in one version.

    Args:
        person: The reader.
        is_theirs: Whether it is their version.
        is_translation: Whether it is a translation.
    """
    match captions_wanted_by(person):
        case "off":
            return False
        case "both":
            return is_theirs or not is_translation
        case "translation":
            return is_theirs
