"""The sum of a room's troubles."""

from __future__ import annotations

import pytest

from palabra_agent.interpretation.condition import Troubles
from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.languages import LanguageCode

pytestmark = pytest.mark.unit

LIVE = (LanguageCode("es"),)


def test_a_room_without_troubles_is_live() -> None:
    """Without troubles, and after the last is resolved, the room is live and says nothing."""
    troubles = Troubles()
    before = troubles.status(LIVE)
    troubles.report("ann", "no balance")
    troubles.resolve("ann")
    troubles.resolve("nobody")

    assert before == troubles.status(LIVE) == RoomStatus(RoomState.LIVE, LIVE, "")


def test_troubles_stand_in_one_line() -> None:
    """Each different sentence is there once, in the order of their coming, the newest per cause."""
    troubles = Troubles()
    for who, sentence in [("ann", "x"), ("bob", "lost"), ("cid", "lost"), ("ann", "refused")]:
        troubles.report(who, sentence)

    assert troubles.status(LIVE) == RoomStatus(RoomState.DEGRADED, LIVE, "refused; lost")
    troubles.resolve("bob")
    assert troubles.status(()) == RoomStatus(RoomState.DEGRADED, (), "refused; lost")


def test_a_sentence_is_told_once() -> None:
    """The same sentence is for the first time only once, however often it is asked."""
    troubles = Troubles()

    assert [troubles.is_first_time(it) for it in ["a", "b", "a", "a"]] == [True, True, False, False]
