"""What people speak and what they want to hear, as far as they or the room's config say. Pure.

People say it in codes of their own writing. A code that means none of the languages that there are
counts as nothing said, and the person who wrote it is told which there are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from palabra_agent.interpretation.ports import MeetingView, Notice, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.voice_change import TIMER_SECONDS
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

Matter: TypeAlias = Literal["speak", "listen"]
"""The language that a person speaks, or the one that they want to hear."""

_CHANGE_SECONDS: Final = 0.5
"""A word counts at once, and the next one no sooner than this: a client that flickers, or clicks
through a list, opens and closes no channel for each."""

_REMEMBERED_SECONDS: Final = 600.0
"""A person who comes back within this time has not said anything new by that alone."""

_MOST_CHOICES: Final = 50
"""Speakers for whom one listener may choose a language."""

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


def listening_language_of(
    person: Person, regime: Regime, speaker: str | None = None
) -> LanguageCode | None:
    """The offered language that a person listens to, or None for the original.

    A word that means none of the offered languages counts as none.

    Args:
        person: Listens.
        regime: The room's languages.
        speaker: Identity of the speaker that it is asked for, for whom there may be a choice; not
            for a caller by telephone, who hears all on one track.
    """
    said = person.listen or ""
    if speaker is not None and regime.is_per_speaker and not person.is_phone:
        said = person.listen_to.get(speaker, said)

    if normalise(said) == ORIGINAL:
        return None

    return nearest(said, regime.offered) or regime.default_listen


def read_listening(said: str, regime: Regime) -> str | None:
    """Read what a person asks to hear: an offered language, `original`, or None for neither."""
    return ORIGINAL if normalise(said) == ORIGINAL else nearest(said, regime.offered)


def read_speaking(said: str) -> LanguageCode | None:
    """Read what a person says they speak: a source language, `auto`, or None for neither."""
    return AUTO if normalise(said) == AUTO else find_source(said)


@dataclass(slots=True)
class _Word:
    """What a person said last on one matter, by any way, and what of it counts."""

    latest: str | None = None
    counting: str | None = None
    attribute: str | None = None
    """As it was seen last."""
    on_arrival: str | None = None
    """The attribute with which they joined: their token's, which says nothing new again."""
    due: float = -math.inf
    """The time from which another word may count."""

    def arrive(self, attribute: str | None) -> None:
        if attribute is not None and attribute not in {self.on_arrival, self.attribute}:
            self.latest = attribute

        self.on_arrival = self.attribute = attribute

    def see(self, attribute: str | None) -> None:
        if attribute != self.attribute:
            self.latest = self.attribute = attribute

    def settle(self, now: float) -> float:
        """Let the latest word count if it may; return the time at which it will."""
        if self.latest == self.counting:
            return math.inf

        if now + TIMER_SECONDS < self.due:
            return self.due

        self.counting, self.due = self.latest, now + _CHANGE_SECONDS
        return math.inf


@dataclass(slots=True)
class _Wisher:
    """One person's words."""

    connection: str | None = None
    seen_at: float = 0.0
    speak: _Word = field(default_factory=_Word)
    listen: _Word = field(default_factory=_Word)
    listen_to: dict[str, str] = field(default_factory=dict[str, str])

    def see(self, person: Person, now: float) -> float:
        """Take in a person's attributes; return the time at which another word counts."""
        is_new = person.connection != self.connection
        for word, attribute in ((self.speak, person.speak), (self.listen, person.listen)):
            if is_new:
                word.arrive(attribute)
            else:
                word.see(attribute)

        first_time = self.connection is None
        self.connection, self.seen_at = person.connection, now
        due = min(self.speak.settle(now), self.listen.settle(now))
        if first_time:
            # joining is no change of mind
            self.speak.due = self.listen.due = -math.inf

        return due

    def with_words(self, person: Person) -> Person:
        """The person, with the words of theirs that count."""
        words = (self.speak.counting, self.listen.counting, self.listen_to)
        if words == (person.speak, person.listen, person.listen_to):
            return person

        speak, listen, listen_to = words
        return replace(person, speak=speak, listen=listen, listen_to=dict(listen_to))


def _ignore() -> None:
    pass


class Wishes:
    """The latest word of each person on what they speak and hear: by attribute, RPC or chat.

    Kept by identity: a person who reconnects need not say it again. Times are in seconds.
    """

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = _ignore
        """Called when a person has said something otherwise than by an attribute."""
        self.next_change: float | None = None
        """The time at which a word that came too soon after another one counts."""
        self._wishers: dict[str, _Wisher] = {}
        self._view = MeetingView()

    def observe(self, view: MeetingView, now: float) -> MeetingView:
        """Take in a view of the meeting; return it with the words that count."""
        dues = [math.inf]
        people: list[Person] = []
        for person in view.people:
            wisher = self._wishers.setdefault(person.identity, _Wisher())
            dues.append(wisher.see(person, now))
            people.append(wisher.with_words(person))

        forgotten = now - _REMEMBERED_SECONDS
        self._wishers = {who: it for who, it in self._wishers.items() if it.seen_at > forgotten}
        self.next_change = None if math.isinf(min(dues)) else min(dues)
        self._view = replace(view, people=tuple(people))
        return self._view

    def person(self, identity: str) -> Person | None:
        """Find a person who is there, with the words that count."""
        return self._view.person(identity)

    def say(self, person: Person, matter: Matter, word: str) -> None:
        """Take in what a person who is there said, otherwise than by an attribute."""
        wisher = self._wishers[person.identity]
        (wisher.speak if matter == "speak" else wisher.listen).latest = word
        self.on_change()

    def choose(self, person: Person, speaker: str, word: str) -> None:
        """Take in the language in which a person wants to hear one speaker."""
        choices = self._wishers[person.identity].listen_to
        choices.pop(speaker, None)
        choices[speaker] = word
        while len(choices) > _MOST_CHOICES:
            del choices[next(iter(choices))]

        self.on_change()


@dataclass(frozen=True, slots=True)
class Excess:
    """What a room's limits leave out."""

    speakers: Collection[str] = ()
    """Identities of those who are not interpreted."""
    languages: Collection[LanguageCode] = ()
    """Those that are asked for and not interpreted into."""


_NO_EXCESS: Final = Excess()


class UnmetWishes:
    """Tells people, once, that a wish of theirs is not met, and which would be."""

    def __init__(self) -> None:
        self._told = defaultdict[str, set[str]](set)

    def notices(
        self, view: MeetingView, regime: Regime, excess: Excess = _NO_EXCESS
    ) -> Iterator[Notice]:
        """Make the notices that are due; each person is told when texts reach them."""
        for person in view.people:
            told = self._told.get(person.identity, set())
            if not person.is_reachable or len(told) >= _MOST_TOLD:
                continue

            for sentence in (*_unmet(person, regime), *_beyond(person, regime, excess)):
                if sentence not in told:
                    self._told[person.identity].add(sentence)
                    yield Notice(sentence, (person.identity,))


def _beyond(person: Person, regime: Regime, excess: Excess) -> Iterator[str]:
    if person.identity in excess.speakers:
        yield (
            "You are not interpreted now: the limit of speakers here is "
            f"{regime.max_speakers} at a time."
        )

    language = listening_language_of(person, regime) if excess.languages else None
    if language in excess.languages:
        yield (
            f'You asked to hear "{language}", and get the original for now: the limit of languages '
            f"here is {regime.max_languages} at a time."
        )


def _unmet(person: Person, regime: Regime) -> Iterator[str]:
    listen, speak = person.listen or "", person.speak or ""
    if normalise(listen) not in _NO_LANGUAGE and nearest(listen, regime.offered) is None:
        instead = "the original" if regime.default_listen is None else f'"{regime.default_listen}"'
        yield (
            f"You asked to hear {quoted(listen)}, which is not offered here, and get {instead}. "
            f"{listed_offer(regime)}"
        )

    has_microphone = person.microphone is not None
    if has_microphone and normalise(speak) not in _NO_LANGUAGE and find_source(speak) is None:
        instead = source_language_of(person, regime)
        taken = "is detected as you speak" if instead == AUTO else f'is taken to be "{instead}"'
        yield (
            f"You wrote that you speak {quoted(speak)}, which Palabra does not recognise; "
            f"your language {taken}. "
            f"{recognised()}"
        )


def listed_offer(regime: Regime) -> str:
    """A sentence that lists what a listener may ask for."""
    return f"Offered are {', '.join(regime.offered)}, and the original."


def recognised() -> str:
    """A sentence that lists the languages that a person may speak."""
    return f"Recognised are {', '.join(sorted(SOURCE_LANGUAGES - {AUTO}))}."


def quoted(written: str) -> str:
    """What a person wrote, as it may stand in a sentence to them."""
    return f'"{one_line(written, _LONGEST_SHOWN)}"'
