"""What a room's speakers share: the sum of their errors, and their bill."""

from __future__ import annotations

import pytest

from palabra_agent.interpretation.context import Billing, RoomErrors
from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.languages import LanguageCode

pytestmark = pytest.mark.unit

LIVE = (LanguageCode("es"),)


def test_a_room_without_errors_is_live() -> None:
    """Without errors, and after the last is resolved, the room is live and says nothing."""
    errors = RoomErrors()
    before = errors.status(LIVE)
    errors.report("ann", "no balance")
    errors.resolve("ann")
    errors.resolve("nobody")

    assert before == errors.status(LIVE) == RoomStatus(RoomState.LIVE, LIVE, "")


def test_errors_stand_in_one_line() -> None:
    """Each different sentence is there once, in the order of their coming, the newest per cause."""
    errors = RoomErrors()
    for who, sentence in [("ann", "x"), ("bob", "lost"), ("cid", "lost"), ("ann", "refused")]:
        errors.report(who, sentence)

    assert errors.status(LIVE) == RoomStatus(RoomState.DEGRADED, LIVE, "refused; lost")
    errors.resolve("bob")
    assert errors.status(()) == RoomStatus(RoomState.DEGRADED, (), "refused; lost")


def test_a_sentence_is_told_once() -> None:
    """The same sentence is for the first time only once, however often it is asked."""
    errors = RoomErrors()

    assert [errors.is_first_time(it) for it in ["a", "b", "a", "a"]] == [True, True, False, False]


def test_a_room_adds_up_its_speakers() -> None:
    """The statement is for the log, and names nobody."""
    billing = Billing()
    for who, seconds in [("alice", 60), ("bob", 30), ("alice", 90)]:
        billing.add_session(who, seconds)
    billing.replacements += 1

    assert (billing.seconds_of("alice"), billing.seconds_of("cid")) == (150, 0)
    assert billing.statement() == {
        "billed_seconds": 180,
        "billed_minutes": 3,
        "speakers": 2,
        "sessions": 3,
        "reliefs": 1,
    }
