"""Faults of Palabra's REST API and of the way into a session: what room, log and journal show."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.clock import eventually, in_jumping_time, passing

from .faulty_room import ES, Outcome, faulty_room, people_come

pytestmark = pytest.mark.unit

_FIRST_PAUSES_ARE_OVER = 2.0
"""Seconds after which who tries again after a failure has done so, more than once."""

_INTERRUPTED = "interpretation of a speaker interrupted"
_REFUSED = "Palabra refused: "
_MEANINGS = {
    "401": "the credentials are not accepted",
    "402": "the account may not",
    "403": "the account may not",
    "404": "the credentials are not accepted",
    "429": "too much was asked for",
    "500": "it failed",
    "503": "it failed",
}
_OTHER = "the request is not accepted"
_QUOTED = re.compile(r"Palabra refused: (?P<words>.*) \(HTTP (?P<status>[45]\d\d).*")


def in_our_words(sentence: str) -> str:
    """What the log says, which quotes no words of Palabra's."""
    quoted = _QUOTED.fullmatch(sentence)
    if quoted is None:
        return sentence

    meaning = _MEANINGS.get(quoted["status"], _OTHER)
    if "100050" in sentence:
        meaning = "the balance is insufficient"
    return sentence.replace(quoted["words"], meaning)


def told_once(sentence: str, **asked: int) -> Outcome:
    """Something is refused for good: it is said in words, and not tried again."""
    return Outcome(
        room=["live", f"degraded: {sentence}"],
        said=[sentence],
        log=[f"{_INTERRUPTED}: {in_our_words(sentence)}"],
        asked=asked,
    )


def got_over(sentence: str, **asked: int) -> Outcome:
    """Something passes: the room shows it as long as it lasts, and no message is sent."""
    return Outcome(
        room=["live", f"degraded: {sentence}", "live"],
        said=[],
        log=[f"{_INTERRUPTED}: {in_our_words(sentence)}"],
        asked=asked,
    )


def unnoticed(**asked: int) -> Outcome:
    """Nothing shows."""
    return Outcome(room=["live"], said=[], log=[], asked=asked)


@pytest.mark.parametrize(
    ("fault", "wish", "sentence"),
    [
        (
            "F1",
            {},
            "Unauthorized access is denied due to invalid credentials. (HTTP 401, error 100401)",
        ),
        (
            "F1",
            {"status": 404},
            "Unauthorized access is denied due to invalid credentials. (HTTP 404, error 100404)",
        ),
        ("F2", {}, "Insufficient balance (HTTP 403, error 100050)"),
        ("F3", {"status": 403}, "Too many parallel sessions (HTTP 403, error 100403)"),
        ("F3", {"status": 409}, "Too many parallel sessions (HTTP 409, error 100409)"),
        ("F4", {"status": 422}, "The request body is not valid. (HTTP 422, error 100422)"),
        ("F5", {"variant": "402"}, "Insufficient funds (HTTP 402, error 100402)"),
    ],
)
@in_jumping_time
async def test_what_cannot_get_better_is_said_once_and_not_tried_again(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any], sentence: str
) -> None:
    """F1 to F4: Palabra's own words are shown and said, and their meaning is logged."""
    async with faulty_room(caplog, talks=False) as room:
        await room.arm(fault, **wish)
        people_come(room)
        await room.shows("degraded")
        await passing(_FIRST_PAUSES_ARE_OVER)
        assert room.outcome() == told_once(_REFUSED + sentence, create=1)


async def test_another_wish_is_another_chance(caplog: pytest.LogCaptureFixture) -> None:
    """F2: who was refused is interpreted as soon as something else is wanted, and it is allowed."""
    async with faulty_room(caplog) as room:
        await room.arm("F2")
        people_come(room)
        await room.shows("degraded")
        room.meeting.person_changes("alice", speak="de")
        await room.reads()
        told = told_once(f"{_REFUSED}Insufficient balance (HTTP 403, error 100050)")
        asked = {"create": 2, "set_task": 1}
        assert room.outcome() == replace(told, room=[*told.room, "live"], asked=asked)


@pytest.mark.parametrize("variant", ["non_json", "no_publisher", "ok_false"])
@in_jumping_time
async def test_a_success_of_no_use_is_not_tried_again(
    caplog: pytest.LogCaptureFixture, variant: str
) -> None:
    """F5: what lacks a session is a refusal; a session that is known is deleted."""
    sentence = {"ok_false": "Internal error (HTTP 400)"}.get(
        variant, "the answer lacks what a session needs (HTTP 201)"
    )
    asked = {"create": 1, "delete": 1} if variant == "no_publisher" else {"create": 1}
    leaves = 0 if variant == "no_publisher" else 1
    async with faulty_room(caplog, leaves=leaves, talks=False) as room:
        await room.arm("F5", variant=variant)
        people_come(room)
        await room.shows("degraded")
        await passing(_FIRST_PAUSES_ARE_OVER)
        assert room.outcome() == told_once(_REFUSED + sentence, **asked)


@pytest.mark.parametrize(
    ("wish", "creations"),
    [
        ({"variant": "500"}, 2),
        ({"variant": "503", "times": 2}, 3),
        ({"variant": "dropped"}, 2),
        ({"variant": "timeout", "delay_ms": 300}, 2),
        ({"variant": "slow", "delay_ms": 300}, 1),
        ({"variant": "429", "retry_after": 1}, 2),
    ],
)
async def test_a_short_failure_goes_unnoticed(
    caplog: pytest.LogCaptureFixture, wish: dict[str, Any], creations: int
) -> None:
    """F5: a failure of Palabra's own and a lost connection are tried again, twice at most."""
    async with faulty_room(caplog) as room:
        await room.arm("F5", **wish)
        people_come(room)
        await room.reads()
        assert room.outcome() == unnoticed(create=creations, set_task=1)


@pytest.mark.parametrize(
    ("wish", "sentence", "creations"),
    [
        ({"variant": "503", "times": 3}, "Service unavailable (HTTP 503, error 100503)", 4),
        ({"variant": "429"}, "Too many requests (HTTP 429, error 100429)", 2),
    ],
)
async def test_a_longer_failure_is_shown_until_it_is_over(
    caplog: pytest.LogCaptureFixture, wish: dict[str, Any], sentence: str, creations: int
) -> None:
    """F5: after the tries within one session come others, after a pause."""
    async with faulty_room(caplog) as room:
        await room.arm("F5", **wish)
        people_come(room)
        await room.reads()
        assert room.outcome() == got_over(_REFUSED + sentence, create=creations, set_task=1)


@in_jumping_time
async def test_a_long_wish_to_be_left_alone_is_heeded(caplog: pytest.LogCaptureFixture) -> None:
    """F5: `Retry-After` counts, also where it is too long to wait for within a session."""
    async with faulty_room(caplog, talks=False) as room:
        await room.arm("F5", variant="429", retry_after=60)
        people_come(room)
        await room.shows("degraded")
        await passing(_FIRST_PAUSES_ARE_OVER)
        assert room.asked() == {"create": 1}


async def test_sessions_left_behind_make_room(caplog: pytest.LogCaptureFixture) -> None:
    """F25 and F3: one of ours that was not deleted is, when Palabra says that there are too many.

    The failed deletion is one line in the log, and nothing in the room.
    """
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.arm("F25", variant="500")
        await room.arm("F3", status=409)
        await room.strikes("F17")
        await room.reads()

        lost = "the Palabra session was lost: Palabra closed the connection, as it goes away (1001)"
        expected = got_over(lost, create=3, delete=2, set_task=2)
        kept = (
            "a palabra session was not deleted: Palabra refused: it failed (HTTP 500, error 100500)"
        )
        assert room.outcome() == replace(expected, log=[kept, *expected.log])


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        ({"variant": "404"}, None),
        (
            {"variant": "503"},
            "a palabra session was not deleted: "
            "Palabra refused: it failed (HTTP 503, error 100503)",
        ),
        (
            {"variant": "timeout", "delay_ms": 2_000},
            "a palabra session was not deleted: no answer in time",
        ),
    ],
)
async def test_a_session_that_cannot_be_deleted_troubles_no_one(
    caplog: pytest.LogCaptureFixture, wish: dict[str, Any], line: str | None
) -> None:
    """F25: nothing in the room; one line in the log, unless it was gone already."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.arm("F25", **wish)
        room.meeting.person_leaves("alice")
        await eventually(lambda: room.struck)
        await eventually(lambda: room.logged("speaker interpretation closed"))
        assert room.outcome() == Outcome(
            room=["live"],
            said=[],
            log=[line] if line else [],
            asked=room.asked(),
        )


@pytest.mark.parametrize(("fault", "wish"), [("F6", {}), ("F6", {"ws_status": 401}), ("F7", {})])
async def test_a_refused_token_costs_one_session(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any]
) -> None:
    """F6 and F7: another session is made at once, the room sees nothing of it."""
    async with faulty_room(caplog) as room:
        await room.arm(fault, **wish)
        people_come(room)
        await room.reads()
        told = unnoticed(create=2, delete=1, set_task=1)
        line = "a session's token was refused, another session is tried"
        assert room.outcome() == replace(told, log=[line])


@in_jumping_time
async def test_tokens_that_are_refused_again_are_a_matter_of_credentials(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F6: twice in a row is said once, and not tried again."""
    async with faulty_room(caplog, talks=False) as room:
        await room.arm("F6", times=2)
        people_come(room)
        await room.shows("degraded")
        await passing(_FIRST_PAUSES_ARE_OVER)
        sentence = f"{_REFUSED}the token was refused, or the balance is exhausted (HTTP 403)"
        told = told_once(sentence, create=2, delete=2)
        line = "a session's token was refused, another session is tried"
        assert room.outcome() == replace(told, log=[line, *told.log])
        assert room.captions(ES) == 0
