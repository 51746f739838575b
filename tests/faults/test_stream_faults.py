"""Faults of a running session: it breaks, talks nonsense, or falls silent."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from palabra_agent.palabra.session.activity import SilenceLimits
from palabra_agent.session import Transcript
from tests.clock import eventually

from .faulty_room import CALM, DE, ES, FaultyRoom, faulty_room, lost_and_found, people_come

pytestmark = pytest.mark.unit

_ATTENTIVE = SilenceLimits(silent_output_seconds=0.9)
_WAYS = (
    "duplicates",
    "late_partial",
    "no_end_timestamp",
    "null_end_timestamp",
    "no_words",
    "part_ids",
    "no_segments",
    "no_language",
)
_CLOSED = "Palabra closed the connection"


def notices(room: FaultyRoom) -> list[tuple[str, str]]:
    """What the log says of messages that are no words: their kind and code."""
    return [(it["kind"], it["code"]) for it in room.logged("palabra sent a notice")]


def finals(room: FaultyRoom) -> list[Transcript]:
    """The final captions that the listener got."""
    said = (it.transcript for it in room.meeting.captions)
    return [it for it in said if it.is_final and it.language == ES]


@pytest.mark.parametrize(
    ("fault", "wish", "why"),
    [
        (
            "F13",
            {},
            "Palabra heard no audio for too long; it said: No input audio received for 10s. "
            "Use the pause_task command for intentional pauses.",
        ),
        ("F17", {}, f"{_CLOSED}, as it goes away (1001)"),
        ("F17", {"close_code": 1006}, "the connection broke off (1006)"),
        ("F17", {"variant": "signal_drop"}, "the connection broke off (1006)"),
    ],
)
async def test_a_lost_session_is_followed_by_another(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any], why: str
) -> None:
    """F13 and F17: the track stays, the room says why it is silent, and is interpreted again."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.strikes(fault, **wish)
        await room.reads()
        assert room.outcome() == lost_and_found(why)


async def test_session_after_session_may_be_lost(caplog: pytest.LogCaptureFixture) -> None:
    """F17 for ever: the pauses between the tries grow."""
    async with faulty_room(caplog) as room:
        await room.arm("F17", times=0, every_seconds=0.05)
        people_come(room)
        await eventually(lambda: len(room.events("created")) == 3)
        starts = [it.time for it in room.events("created")]
        pauses = [after - before for before, after in pairwise(starts)]
        assert all(pause >= least for pause, least in zip(pauses, (0.25, 0.5), strict=True))
        assert {line.partition(" (")[0] for line in room.outcome().log} == {
            f"interpretation of a speaker interrupted: the Palabra session was lost: {_CLOSED}, "
            "as it goes away"
        }


@pytest.mark.parametrize(
    ("fault", "wish"),
    [
        ("F18", {}),
        ("F21", {"variant": "republished"}),
        ("F22", {"seconds": 60}),
    ],
)
async def test_what_is_none_of_peoples_business_goes_unnoticed(
    caplog: pytest.LogCaptureFixture, fault: str, wish: dict[str, Any]
) -> None:
    """F18, F21, F22: everything goes on, and no message is sent."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.strikes(fault, **wish)
        await room.reads()
        assert (room.outcome(), notices(room)) == (CALM, [])


async def test_packets_without_sense_are_counted(caplog: pytest.LogCaptureFixture) -> None:
    """F20: each kind is one line of the log, which says no word of it."""
    variants = ("non_json", "array", "no_type", "unknown_type", "bad_data", "huge", "binary", "cut")
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        for variant in (*variants, *variants, "empty"):
            await room.strikes("F20", variant=variant)
        await room.reads()
        assert room.outcome() == CALM
        assert notices(room) == [("unread", "malformed"), ("unread", "unknown")]

    [account] = room.logged("uplink closed")
    assert account["unread_messages"] == 2 * len(variants)


async def test_warnings_are_for_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """F15: one line each, with Palabra's code."""
    codes = ["AUDIO_STREAM_TOO_FAST", "AUDIO_STREAM_TOO_SLOW", "AUDIO_STREAM_STALLED"]
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        for code in codes:
            await room.strikes("F15", variant=code)
        await room.reads()
        assert room.outcome() == CALM
        assert notices(room) == [("warning", code) for code in codes]


async def test_a_missing_voice_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """F14: however often Palabra repeats it."""
    async with faulty_room(caplog) as room:
        people_come(room)
        await room.runs()
        await room.arm("F14", times=5, every_seconds=0.05)
        await eventually(lambda: len(room.struck) == 5)
        await room.reads()
        assert room.outcome() == CALM
        assert notices(room) == [("warning", "VOICE_NOT_FOUND")]


async def test_words_come_once_whatever_way_they_come(caplog: pytest.LogCaptureFixture) -> None:
    """F19: each utterance is read once, by each in their language, and nothing after it."""
    async with faulty_room(caplog) as room:
        people_come(room)
        for variant in _WAYS:
            await room.strikes("F19", variant=variant)
            await room.reads()

        translated = len(room.events("translated"))
        texts = [it.text for it in finals(room)]
        assert room.outcome() == CALM
        assert len(texts) == len(set(texts)) == translated

        for segment in {it.segment_id for it in room.meeting.captions}:
            last = [it for it in room.meeting.captions if it.segment_id == segment][-1]
            is_under_way = last is room.meeting.captions[-1]
            assert last.transcript.is_final or is_under_way


async def test_languages_may_overtake_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """F19: each listener reads what is said in their language, whichever comes first."""
    async with faulty_room(caplog, offered=(ES, DE)) as room:
        await room.arm("F19", variant="reordered", times=0)
        people_come(room)
        room.meeting.person_joins("clara", microphone=None, listen="de")
        await room.reads(DE, more=2)
        await eventually(lambda: room.captions(ES) >= 2)
        assert room.outcome() == CALM
        said = [it.transcript for it in room.meeting.captions]
        languages = [it.language for it in said if it.is_translation and it.is_final]
        assert languages[:4] == [DE, ES] * 2


@pytest.mark.parametrize("variant", ["no_output", "deaf"])
async def test_a_session_that_fell_silent_is_relieved(
    caplog: pytest.LogCaptureFixture, variant: str
) -> None:
    """F26: the next one is ready before the old one goes; the room never notices, it is counted."""
    async with faulty_room(caplog, limits=_ATTENTIVE) as room:
        people_come(room)
        await room.runs()
        await room.strikes("F26", variant=variant)
        await room.reads()
        await eventually(lambda: room.asked()["delete"] == 1)
        expected = replace(CALM, asked={"create": 2, "set_task": 2, "end_task": 1, "delete": 1})
        assert room.outcome() == replace(expected, log=["a silent session was replaced"])

        old, new = (it.session for it in room.events("created"))
        order = [(it.event, it.session) for it in room.journal if it.event in {"running", "ended"}]
        assert order == [("running", old), ("running", new), ("ended", old)]

    [bill] = room.logged("interpretation billed")
    assert (bill["sessions"], bill["reliefs"]) == (2, 1)


async def test_a_silent_session_that_breaks_meanwhile_is_relieved_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """F26, then F17: who was to relieve it takes over, without a pause."""
    async with faulty_room(caplog, limits=_ATTENTIVE, ready_delay_ms=500) as room:
        people_come(room)
        await room.runs()
        await room.strikes("F26")
        await eventually(lambda: len(room.events("created")) == 2)
        await room.strikes("F17", session=0)
        await room.reads()
        asked = {"create": 2, "set_task": 2, "delete": 1}
        assert room.outcome() == replace(CALM, asked=asked)
