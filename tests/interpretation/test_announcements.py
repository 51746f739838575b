"""What people are told while it holds: once each, those who come later too, and its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from palabra_agent.interpretation.announcements import Announcement, Announcements
from palabra_agent.interpretation.ports import MeetingView, Notice, Person

pytestmark = pytest.mark.unit

ANN, BOB = Person("ann", "Ann"), Person("bob", "Bob")
KEPT: Final = {"kept": Announcement("It is kept.", "It is kept no more.")}


def told(announcements: Announcements, *people: Person, holds: bool = True) -> list[Notice]:
    """The notices to some people."""
    return list(announcements.notices(MeetingView(people), KEPT if holds else {}))


def test_each_person_is_told_once() -> None:
    """All who are there at the beginning, then those who come."""
    announcements = Announcements()

    assert told(announcements, ANN) == [Notice("It is kept.", ("ann",))]
    assert told(announcements, ANN, BOB) == [Notice("It is kept.", ("bob",))]
    assert told(announcements) == told(announcements, BOB, ANN) == []


def test_the_end_is_told_to_those_who_know_of_the_beginning() -> None:
    """To no others, who would wonder."""
    announcements = Announcements()
    told(announcements, ANN)

    assert told(announcements, ANN, BOB, holds=False) == [Notice("It is kept no more.", ("ann",))]
    assert told(announcements, ANN, BOB, holds=False) == []


def test_a_person_who_cannot_be_reached_yet_is_told_later() -> None:
    """Texts are not kept for those who join."""
    announcements, joining = Announcements(), replace(ANN, is_reachable=False)

    assert told(announcements, joining) == []
    assert told(announcements, ANN) == [Notice("It is kept.", ("ann",))]


def test_what_begins_and_ends_without_end_does_not_fill_the_chat() -> None:
    """The third beginning says so, and then there is quiet; who comes later is told as well."""
    announcements = Announcements()
    notices = [
        notice
        for _ in range(50)
        for holds in (True, False)
        for notice in told(announcements, ANN, holds=holds)
    ]

    assert [it.text.partition(".")[0] for it in notices] == [
        *("It is kept", "It is kept no more") * 2,
        "It is kept",
    ]
    assert "not told any more" in notices[-1].text
    assert [it.recipients for it in told(announcements, ANN, BOB)] == [("bob",)]
