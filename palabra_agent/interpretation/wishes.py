"""What people speak and what they want to hear, as far as they or the room's config say. Pure.

People say it in codes of their own writing. A code that means none of the languages that there are
counts as nothing said, and the person who wrote it is told which there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from palabra_agent.interpretation.ports import MeetingView, Notice, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    LanguageCode,
    find_source,
    nearest,
    normalise,
)
from palabra_agent.texts import one_line

ORIGINAL: Final = "original"
"""The wish of a listener who wants no interpretation."""

_NO_LANGUAGE: Final = frozenset({"", AUTO, ORIGINAL})
"""Written where a language is left open, perhaps for the other of the two wishes."""

_LONGEST_SHOWN: Final = 30
_MOST_TOLD: Final = 20
"""Notices to one person: who goes on writing codes that mean nothing knows it by then."""


def source_language_of(person: Person, regime: Regime) -> LanguageCode:
    """The language that a person speaks, as far as it was said, else `auto`.

    Their own word counts most, then the config's word on them, then its word on all speakers.
    A word that is no language Palabra understands counts as none.
    """
    said = person.speak or ""
    if normalise(said) == AUTO:
        return AUTO

    rule = regime.rule_for(person.identity)
    return find_source(said) or rule.source_language or regime.source_language


def spoken_language_of(
    person: Person, regime: Regime, detected: LanguageCode | None = None
) -> LanguageCode | None:
    """The language that a person speaks, as far as it was said or detected, else None.

    Args:
        person: May speak.
        regime: The room's languages.
        detected: What Palabra hears them speak; counts only while their language is `auto`.
    """
    said = source_language_of(person, regime)
    return detected if said == AUTO else said


def listening_language_of(person: Person, regime: Regime) -> LanguageCode | None:
    """The offered language that a person listens to, or None for the original.

    A word that means none of the offered languages counts as none.
    """
    said = person.listen or ""
    if normalise(said) == ORIGINAL:
        return None

    return nearest(said, regime.offered) or regime.default_listen


class UnmetWishes:
    """Tells people, once, that a language which they wrote is not there, and which are."""

    def __init__(self) -> None:
        self._told = defaultdict[str, set[str]](set)

    def notices(self, view: MeetingView, regime: Regime) -> Iterator[Notice]:
        """Make the notices that are due; each person is told when texts reach them."""
        for person in view.people:
            told = self._told.get(person.identity, set())
            if not person.is_reachable or len(told) >= _MOST_TOLD:
                continue

            for sentence in _unmet(person, regime):
                if sentence not in told:
                    self._told[person.identity].add(sentence)
                    yield Notice(sentence, (person.identity,))


def _unmet(person: Person, regime: Regime) -> Iterator[str]:
    listen, speak = person.listen or "", person.speak or ""
    if normalise(listen) not in _NO_LANGUAGE and nearest(listen, regime.offered) is None:
        instead = "the original" if regime.default_listen is None else f'"{regime.default_listen}"'
        yield (
            f"You asked to hear {_quoted(listen)}, which is not offered here, and get {instead}. "
            f"Offered are {_listed(regime.offered)}, and the original."
        )

    has_microphone = person.microphone is not None
    if has_microphone and normalise(speak) not in _NO_LANGUAGE and find_source(speak) is None:
        instead = source_language_of(person, regime)
        taken = "is detected as you speak" if instead == AUTO else f'is taken to be "{instead}"'
        yield (
            f"You wrote that you speak {_quoted(speak)}, which Palabra does not recognise; "
            f"your language {taken}. "
            f"Recognised are {_listed(sorted(SOURCE_LANGUAGES - {AUTO}))}."
        )


def _listed(codes: Sequence[LanguageCode]) -> str:
    return ", ".join(codes)


def _quoted(written: str) -> str:
    return f'"{one_line(written, _LONGEST_SHOWN)}"'
