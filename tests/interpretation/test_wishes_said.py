"""The latest word of each person: said by an attribute or otherwise, kept over a reconnect."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.interpretation.wishes import Wishes

pytestmark = pytest.mark.unit

LATER = 1.0
"""Longer than one word counts before the next may."""


class Told:
    """The wishes of one person, Ann, as a room sees them."""

    def __init__(self) -> None:
        self.wishes = Wishes()
        self.now = 0.0
        self.changes = 0
        self.wishes.on_change = self._count
        self._person = Person("ann", "Ann", connection="PA_1")

    def _count(self) -> None:
        self.changes += 1

    def attribute(self, listen: str | None, *, after: float = LATER) -> str | None:
        """Have this attribute; returns what counts."""
        self._person = replace(self._person, listen=listen)
        return self.look(after=after)

    def say(self, listen: str, *, after: float = LATER) -> str | None:
        """Say it otherwise; returns what counts."""
        person = self.wishes.person("ann")
        assert person is not None
        self.wishes.say(person, "listen", listen)
        return self.look(after=after)

    def rejoin(self, listen: str | None, *, away: float = 1.0) -> str | None:
        """Leave, and come back with a token that says this."""
        self.wishes.observe(MeetingView(), self.now)
        self.now += away
        self.wishes.observe(MeetingView(), self.now)
        self._person = replace(self._person, connection=f"PA_{self.now}")
        return self.attribute(listen)

    def look(self, *, after: float = 0.0) -> str | None:
        """Look again after some time."""
        self.now += after
        view = self.wishes.observe(MeetingView((self._person,)), self.now)
        return view.people[0].listen


def test_the_latest_word_counts() -> None:
    """By whichever way it was said; an attribute that is taken away is a word as well."""
    ann = Told()

    assert ann.attribute("es") == "es"
    assert ann.say("de") == "de"
    assert ann.look() == "de"
    assert ann.attribute("fr") == "fr"
    assert ann.say("original") == "original"
    assert ann.attribute(None) is None
    assert ann.changes == 2


def test_a_reconnect_says_nothing_new() -> None:
    """The token says what it said, or nothing; another token is another word."""
    ann = Told()
    ann.attribute("es")
    ann.say("de")

    assert ann.rejoin("es") == "de"
    assert ann.rejoin(None) == "de"
    assert ann.rejoin("fr") == "fr"
    assert ann.attribute("it") == "it"
    assert ann.rejoin("fr") == "it"


def test_after_a_long_time_a_person_is_as_new() -> None:
    """What they said the last time is forgotten."""
    ann = Told()
    ann.attribute("es")
    ann.say("de")

    assert ann.rejoin("es", away=3600) == "es"


def test_a_word_that_comes_too_soon_counts_a_little_later() -> None:
    """The first one counts at once; of those that follow it, the last."""
    ann = Told()
    ann.attribute("es")
    assert ann.wishes.next_change is None

    assert ann.say("de", after=0) == "de"
    assert ann.say("fr", after=0.1) == "de"
    assert ann.say("it", after=0.1) == "de"
    assert ann.wishes.next_change == pytest.approx(ann.now + 0.3)
    assert ann.look(after=0.31) == "it"
    assert ann.wishes.next_change is None


def test_a_person_who_was_never_there_has_no_wishes() -> None:
    """Nor one who has left."""
    ann = Told()
    assert ann.wishes.person("ann") is None

    ann.attribute("es")
    ann.wishes.observe(MeetingView(), 1)
    assert ann.wishes.person("ann") is None


def test_choices_for_single_speakers_are_kept_apart() -> None:
    """One for each speaker, the last ones of very many."""
    ann = Told()
    ann.attribute("es")
    person = ann.wishes.person("ann")
    assert person is not None
    for number in range(60):
        ann.wishes.choose(person, f"speaker-{number}", "de")
    ann.wishes.choose(person, "speaker-59", "fr")
    ann.look()
    person = ann.wishes.person("ann")

    assert person is not None
    assert person.listen == "es"
    assert len(person.listen_to) == 50
    assert person.listen_to["speaker-59"] == "fr"


words = st.none() | st.sampled_from(["es", "de", "fr"])


@given(words, st.lists(st.tuples(st.booleans(), words), max_size=10))
def test_what_counts_is_what_was_said_last(
    first: str | None, said: list[tuple[bool, str | None]]
) -> None:
    """An attribute that stays as it is says nothing; every other word does."""
    ann = Told()
    counting = attribute = ann.attribute(first)
    for is_attribute, word in said:
        if is_attribute:
            counting = word if word != attribute else counting
            attribute = word
            assert ann.attribute(word) == counting
        elif word is not None:
            counting = word
            assert ann.say(word) == counting
