"""Decides what is to go on in a room, and who still counts as there. Pure.

That is: which speakers are interpreted into which languages, which channels there are, and who may
hear each. Who reads what is decided in `transcript_writer.py`, who wishes for what in `wishes.py`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, auto
from operator import itemgetter
from typing import Final, Generic, TypeVar

from palabra_agent.interpretation.ports import (
    ChannelKey,
    EncryptionProblem,
    MeetingView,
    Person,
)
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.voice_change import TIMER_SECONDS
from palabra_agent.interpretation.wishes import (
    listening_language_of,
    source_language_of,
    spoken_language_of,
)
from palabra_agent.languages import AUTO, LanguageCode, find_source, same_language
from palabra_agent.session import Brief

T = TypeVar("T", bound=Hashable)

_LISTENED_TO: Final = 2
"""Microphones that are listened to for each place of a speaker: to see who begins to speak."""


@dataclass(frozen=True, slots=True)
class Ongoing:
    """What goes on already, of which a plan ends as little as it can."""

    speakers: Collection[str] = ()
    """Identities of those who have a session, or may have one."""
    heard: Collection[str] = ()
    """Those who were heard to speak a moment ago."""
    ready: Collection[str] = ()
    """Those who have been there for some time with an open microphone: they may speak soon."""
    missed: Collection[str] = ()
    """Those who have a session, and whose microphone vanished a moment ago."""
    languages: Collection[LanguageCode] = ()
    """Those that are interpreted into."""
    former: Collection[tuple[str, ChannelKey]] = ()
    """Listeners who left a channel a moment ago and may come back: it stays for them."""
    typing: Collection[str] = ()
    """Identities of those who type in the chat, where that is spoken on the channels."""


NOTHING_YET: Final = Ongoing()


class _Claim(IntEnum):
    """The reasons to have one of the room's places for speakers, the best one first."""

    SPEAKS = auto()
    """Has a place, and was heard a moment ago."""
    BEGINS = auto()
    """Speaks without a place."""
    MAY_GO_ON = auto()
    """Has a place and an open microphone."""
    IS_MUTED = auto()
    """Has a place."""
    IS_MISSED = auto()
    """Has a place, and is away."""
    MAY_BEGIN = auto()
    """Has an open microphone."""


def _no_brief(_author: Person, _detected: LanguageCode | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """The interpretation that should be going on."""

    briefs: Mapping[str, Brief]
    """The brief of each speaker who is interpreted, by identity."""
    channels: Mapping[ChannelKey, frozenset[str]]
    """The channels that there should be, each with the identities of those who hear it: none where
    its language is always on, or its listeners have just left."""
    away: Mapping[ChannelKey, frozenset[str]] = field(
        default_factory=dict[ChannelKey, frozenset[str]]
    )
    """The listeners of channels who are not in the room any more, and may hear them at once when
    they are back: LiveKit tells us of them only some time later."""
    languages: tuple[LanguageCode, ...] = ()
    """Those to interpret into, in the order of the offer."""
    candidates: Mapping[str, Brief] = field(default_factory=dict[str, Brief])
    """The briefs of those to listen to, because they are interpreted or would be if they spoke."""
    missed: tuple[str, ...] = ()
    """Identities of those who are away, and keep their sessions."""
    left_out: tuple[str, ...] = ()
    """Identities of those who speak, beyond the room's limit."""
    languages_left_out: tuple[LanguageCode, ...] = ()
    """Languages that listeners ask for, beyond the room's limit."""
    encryption_problems: tuple[EncryptionProblem, ...] = ()
    """Those of speakers who are to be interpreted, each kind once."""
    brief_of_author: Callable[[Person, LanguageCode | None], Brief | None] = field(
        default=_no_brief, compare=False
    )
    """Makes the brief of a session for what a person types, given what Palabra hears them speak;
    None where nothing is to be translated."""


def plan(
    view: MeetingView,
    regime: Regime,
    detected: Mapping[str, LanguageCode] | None = None,
    ongoing: Ongoing = NOTHING_YET,
) -> Plan:
    """Decide who is interpreted into what, and who hears it.

    People with a microphone are from when they speak, or may speak soon; into each language but
    their own that another person listens to or that is always on. Of more than the limit those who
    speak come first, and then those who did; what goes on already is ended last.
    """
    detected = detected or {}
    demand = _Demand(view.people, regime, ongoing)
    briefs = {
        person.identity: brief
        for person in view.people
        # of a hundred people most only listen
        if (person.microphone is not None or person.encryption_problem is not None)
        and (wanted := demand.languages_for(person.identity))
        and (brief := brief_for(person, regime, wanted, detected.get(person.identity)))
    }
    problems = (it.encryption_problem for it in view.people if it.identity in briefs)
    speaking = [it for it in view.people if it.identity in briefs and it.microphone is not None]
    claims = _claims(speaking, ongoing)
    placed = list(claims)[: regime.max_speakers]
    present = {person.identity for person in speaking}
    listened_to = list(dict.fromkeys((*placed, *claims, *_muted_last(speaking))))
    candidates = [who for who in listened_to if who in present]
    typed = {
        person.identity: brief
        for person in view.people
        if person.identity in ongoing.typing
        and (brief := demand.brief_of_author(person, detected.get(person.identity)))
    }
    apart = _apart(view.people, placed, regime, detected, typed)
    interpreted = {who: briefs[who] for who in placed if who in present}
    channels = demand.channels((*interpreted.items(), *typed.items()), apart)
    return Plan(
        briefs=interpreted,
        channels=channels,
        away=_away(view.people, channels, ongoing),
        languages=demand.languages,
        candidates={who: briefs[who] for who in candidates[: _LISTENED_TO * regime.max_speakers]},
        missed=tuple(who for who in placed if who not in present),
        left_out=tuple(
            who for who, it in claims.items() if it is _Claim.BEGINS and who not in placed
        ),
        languages_left_out=demand.left_out,
        encryption_problems=tuple(dict.fromkeys(it for it in problems if it is not None)),
        brief_of_author=demand.brief_of_author,
    )


def _claims(speaking: Iterable[Person], ongoing: Ongoing) -> dict[str, _Claim]:
    """The claims to places, the best first; of equal ones that of the person who came first."""
    claims = {person.identity: _claim(person, ongoing) for person in speaking}
    claims |= {who: _Claim.IS_MISSED for who in ongoing.missed if who not in claims}
    there = [(who, claim) for who, claim in claims.items() if claim is not None]
    return dict(sorted(there, key=itemgetter(1)))


def _claim(person: Person, ongoing: Ongoing) -> _Claim | None:
    who = person.identity
    has_place, is_heard = who in ongoing.speakers, who in ongoing.heard
    if has_place and is_heard:
        return _Claim.SPEAKS

    if person.is_muted:
        return _Claim.IS_MUTED if has_place else None

    if is_heard:
        return _Claim.BEGINS

    if has_place:
        return _Claim.MAY_GO_ON

    return _Claim.MAY_BEGIN if who in ongoing.ready else None


def _muted_last(speaking: Iterable[Person]) -> list[str]:
    return [it.identity for it in sorted(speaking, key=lambda person: person.is_muted)]


def brief_for(
    person: Person,
    regime: Regime,
    wanted: Iterable[LanguageCode],
    detected: LanguageCode | None = None,
) -> Brief | None:
    """The brief of a session for a person; None where nothing is to be interpreted.

    Args:
        person: May speak.
        regime: The room's languages.
        wanted: Those that are asked for, perhaps the person's own too.
        detected: What Palabra hears the person speak.
    """
    if not regime.rule_for(person.identity).is_interpreted:
        return None

    spoken = spoken_language_of(person, regime, detected)
    targets = tuple(code for code in wanted if spoken is None or not same_language(code, spoken))
    return Brief(source_language_of(person, regime), targets) if targets else None


def _apart(
    people: Iterable[Person],
    placed: Collection[str],
    regime: Regime,
    detected: Mapping[str, LanguageCode],
    typed: Mapping[str, Brief],
) -> set[str]:
    """The listeners who need a mix of their own: on a phone, or else they would hear themselves."""
    apart = {person.identity for person in people if person.is_phone}
    if regime.is_per_speaker:
        return apart

    for person in people:
        who = person.identity
        is_heard = who in placed or who in typed
        listening = listening_language_of(person, regime) if is_heard else None
        if listening is None:
            continue

        own = brief_for(person, regime, (listening,), detected.get(who))
        is_spoken = who in placed and own is not None
        if is_spoken or (who in typed and listening in typed[who].targets):
            apart.add(who)

    return apart


def _away(
    people: Iterable[Person], channels: Collection[ChannelKey], ongoing: Ongoing
) -> dict[ChannelKey, frozenset[str]]:
    """The listeners of each channel who left the room a moment ago."""
    present = {person.identity for person in people}
    away = defaultdict[ChannelKey, set[str]](set)
    for who, key in ongoing.former:
        if who not in present and key in channels:
            away[key].add(who)

    return {key: frozenset(listeners) for key, listeners in away.items()}


class _Demand:
    """The languages that are asked for, and by whom."""

    def __init__(self, people: Iterable[Person], regime: Regime, ongoing: Ongoing) -> None:
        self._regime = regime
        self._listeners = defaultdict[LanguageCode, set[str]](set)
        """The listeners of a language, of any speaker."""
        self._choices: dict[tuple[str, str], LanguageCode | None] = {}
        """The language that a listener chose for a speaker."""
        for person in people:
            language = listening_language_of(person, regime)
            if language is not None:
                self._listeners[language].add(person.identity)

            for speaker in person.listen_to if regime.is_per_speaker else ():
                choice = listening_language_of(person, regime, speaker)
                self._choices[person.identity, speaker] = choice

        self._former = [
            (who, key)
            for who, key in ongoing.former
            if key.language in regime.offered and _may_be(key, regime)
        ]
        asked = {*self._listeners, *filter(None, self._choices.values())}
        ranked = dict.fromkeys(
            (
                *regime.always_on,
                *(code for code in ongoing.languages if code in asked),
                *(code for code in regime.offered if code in asked),
                *(key.language for _, key in self._former),
            )
        )
        kept = set(list(ranked)[: regime.max_languages])
        self.languages = tuple(code for code in regime.offered if code in kept)
        """The languages to interpret into, in the order of the offer."""
        self.left_out = tuple(code for code in regime.offered if code in asked - kept)
        """Those beyond the room's limit."""

    def languages_for(self, speaker: str) -> tuple[LanguageCode, ...]:
        """The languages in which a person other than the speaker listens to them."""
        return tuple(code for code in self.languages if self._is_wanted(speaker, code))

    def brief_of_author(self, author: Person, detected: LanguageCode | None) -> Brief | None:
        """The brief of a session for what a person types; None where nothing is to be translated.

        Its targets are what others listen to now. Its source language is what the person speaks,
        as far as that is known; else what they listen to, as that is what they read; else `auto`,
        which Palabra does not detect in a text. It names no voices, and an imitated one is not
        agreed to.
        """
        regime, who = self._regime, author.identity
        wanted = tuple(code for code in self.languages if self._listeners_to(who, code))
        read = listening_language_of(author, regime)
        known = find_source(detected or "") or find_source(read or "")
        brief = brief_for(author, regime, wanted, known)
        if brief is None:
            return None

        return replace(brief, source_language=spoken_language_of(author, regime, known) or AUTO)

    def channels(
        self, briefs: Iterable[tuple[str, Brief]], apart: Collection[str]
    ) -> dict[ChannelKey, frozenset[str]]:
        """The channels, with their listeners: of single speakers or of all, and those that stay.

        Args:
            briefs: Of those who are interpreted, and of those whose texts are spoken.
            apart: Identities of the listeners who need a mix of their own.
        """
        asked = self._of_speakers(briefs) if self._regime.is_per_speaker else self._of_all()
        shared = {key: frozenset(who).difference(apart) for key, who in asked.items()}
        staying = {
            key: self._listeners_of_former(key).difference(apart)
            for _, key in self._former
            if key.language in self.languages
        }
        reasoned = {
            key: listeners
            for key, listeners in shared.items()
            if listeners or key in staying or key.language in self._regime.always_on
        }
        own = {
            ChannelKey(code, listener=listener): frozenset({listener})
            for code in self.languages
            for listener in self._listeners[code].intersection(apart)
        }
        return staying | reasoned | own

    def _of_all(self) -> dict[ChannelKey, set[str]]:
        return {ChannelKey(code): self._listeners[code] for code in self.languages}

    def _of_speakers(self, briefs: Iterable[tuple[str, Brief]]) -> dict[ChannelKey, set[str]]:
        return {
            ChannelKey(code, speaker): self._listeners_to(speaker, code)
            for speaker, brief in briefs
            for code in brief.targets
        }

    def _listeners_of_former(self, key: ChannelKey) -> frozenset[str]:
        """Those of a channel whose speaker is away, and may still be heard; else none."""
        if key.speaker is None:
            return frozenset()

        return frozenset(self._listeners_to(key.speaker, key.language))

    def _is_wanted(self, speaker: str, code: LanguageCode) -> bool:
        if code in self._regime.always_on:
            return True

        listeners = self._listeners_to(speaker, code) if self._choices else self._listeners[code]
        return not listeners <= {speaker} or any(
            who != speaker and key.carries(speaker, code) for who, key in self._former
        )

    def _listeners_to(self, speaker: str, code: LanguageCode) -> set[str]:
        """Those who listen to a speaker in a language."""
        chosen = {who: it for (who, whom), it in self._choices.items() if whom == speaker}
        by_choice = {who for who, it in chosen.items() if it == code}
        return (self._listeners[code] - chosen.keys() | by_choice) - {speaker}


def _may_be(key: ChannelKey, regime: Regime) -> bool:
    """Tell whether a room has such channels; mixes for one listener there are in all."""
    return key.listener is not None or (key.speaker is not None) == regime.is_per_speaker


class Lingering(Generic[T]):
    """Remembers who or what was there, and how long it may be missed. Times are in seconds.

    A reconnect, of the speaker or of ourselves, makes people vanish and come back as new
    participants with new tracks; a speaker's session, voice and channel must survive that.
    """

    def __init__(self, linger_seconds: float) -> None:
        self.linger_seconds = linger_seconds
        """For those who are missed from now on."""
        self._present: frozenset[T] = frozenset()
        self._leave_at: dict[T, float] = {}

    def observe(self, present: Collection[T], *, is_connected: bool, now: float) -> frozenset[T]:
        """Take in what is there now; return what counts as there.

        While we are disconnected ourselves no absence counts; its time starts when we are back.
        """
        missing = (self._present | self._leave_at.keys()) - set(present)
        self._present = frozenset(present)
        self._leave_at = {who: self._deadline(who, is_connected, now) for who in missing}
        self._leave_at = {who: at for who, at in self._leave_at.items() if at > now + TIMER_SECONDS}
        return self._present | self._leave_at.keys()

    @property
    def next_departure(self) -> float | None:
        """The time at which the next one who is missed stops counting, or None."""
        earliest = min(self._leave_at.values(), default=math.inf)
        return None if math.isinf(earliest) else earliest

    def _deadline(self, who: T, is_connected: bool, now: float) -> float:
        if not is_connected:
            return math.inf

        known = self._leave_at.get(who, math.inf)
        return now + self.linger_seconds if math.isinf(known) else known
