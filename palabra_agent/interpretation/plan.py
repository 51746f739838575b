"""Who is interpreted into what: a pure function of the room's looks and its config."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    LanguageCode,
    base,
    match,
    normalise,
    same_language,
)
from palabra_agent.session import Brief

ORIGINAL: Final = "original"
"""What somebody listens to who wants no interpretation."""


@dataclass(frozen=True, slots=True)
class SpeakerRule:
    """What the room's config says about one speaker."""

    source_language: LanguageCode | None = None
    """Stands over what the config says for everybody, under what the speaker says."""
    is_interpreted: bool = True


def _no_rule(_identity: str) -> SpeakerRule:
    return SpeakerRule()


@dataclass(frozen=True, slots=True)
class Regime:
    """The language regime of a room: what may be spoken and what is offered."""

    offered: tuple[LanguageCode, ...]
    """Languages of the channels; in this version each is always on."""
    source_language: LanguageCode = AUTO
    """For speakers who say nothing."""
    default_listen: LanguageCode | None = None
    """For listeners who say nothing."""
    max_speakers: int = 20
    rule_for: Callable[[str], SpeakerRule] = field(default=_no_rule)
    """The config's word on the speaker with an identity."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What should be going on."""

    briefs: Mapping[str, Brief]
    """Who is interpreted into what, by identity."""
    left_out: tuple[str, ...] = ()
    """Identities of speakers beyond the room's limit."""


def source_language_of(person: Person, regime: Regime) -> LanguageCode:
    """The language that a person speaks as far as anybody said, else `auto`.

    Their own word counts most, then the config's word on them, then the config's word on everybody.
    A word that is no language Palabra understands counts as none.
    """
    if person.speak is not None:
        said = normalise(person.speak)
        # a region is stripped by Palabra anyway, and en-us is no language of its own to recognise
        if base(said) in SOURCE_LANGUAGES:
            return base(said)

    return regime.rule_for(person.identity).source_language or regime.source_language


def listening_language_of(person: Person, regime: Regime) -> LanguageCode | None:
    """The offered language that a person listens to, or None for the original."""
    if person.listen is None:
        return regime.default_listen

    if person.listen.strip().lower() == ORIGINAL:
        return None

    return match(person.listen, regime.offered)


def brief_for(person: Person, regime: Regime, detected: LanguageCode | None = None) -> Brief | None:
    """What a session must do for a person; None where nothing is to be interpreted.

    Args:
        person: Somebody who may speak.
        regime: The room's languages.
        detected: What Palabra last heard them speak; counts only while their language is `auto`.
    """
    if not regime.rule_for(person.identity).is_interpreted:
        return None

    source = source_language_of(person, regime)
    spoken = detected if source == AUTO else source
    targets = tuple(
        code for code in regime.offered if spoken is None or not same_language(code, spoken)
    )
    return Brief(source, targets) if targets else None


def plan(
    view: MeetingView,
    regime: Regime,
    detected: Mapping[str, LanguageCode] | None = None,
    held: Collection[str] = (),
) -> Plan:
    """Decide who is interpreted into what.

    Everybody with a microphone is, into each offered language but their own, first come first
    served up to the limit. Who is interpreted already (`held`) stays so, whoever comes.
    """
    briefs: dict[str, Brief] = {}
    left_out: list[str] = []
    for person in sorted(view.people, key=lambda person: person.identity not in held):
        if person.microphone is None:
            continue

        brief = brief_for(person, regime, (detected or {}).get(person.identity))
        if brief is None:
            continue

        if len(briefs) < regime.max_speakers:
            briefs[person.identity] = brief
        else:
            left_out.append(person.identity)

    return Plan(briefs, tuple(left_out))
