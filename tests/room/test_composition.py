"""A room whose config is wrong: told, read, left."""

from __future__ import annotations

import asyncio
import logging

import pytest

from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.room.composition import refusal_sentence, refuse, tell_of_cuts
from tests.clock import in_jumping_time, passing
from tests.fakes import FakeMeeting

pytestmark = pytest.mark.unit

ERROR = RoomConfigError([Problem("languages[0]", "unknown"), Problem("", "too long")])
SENTENCE = "No interpretation, the room's configuration is wrong: languages[0]: unknown; too long"


async def seconds_of_refusal(meeting: FakeMeeting) -> float:
    """Refuse, and tell how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await refuse(meeting, ERROR, ["languages"])
    return loop.time() - began


@in_jumping_time
async def test_those_who_are_there_can_read_it() -> None:
    """It is said in chat and state; people see us, and have five seconds more."""
    meeting = FakeMeeting()
    meeting.person_joins("ann")

    assert await seconds_of_refusal(meeting) == pytest.approx(7.5)
    assert meeting.announced == [SENTENCE]
    assert meeting.shown == [RoomStatus(RoomState.FAILED, error=SENTENCE)]


@in_jumping_time
async def test_a_person_who_comes_later_can_read_it_too() -> None:
    """It is said when there is somebody, who then has five seconds."""
    meeting = FakeMeeting()
    async with asyncio.TaskGroup() as group:
        refusing = group.create_task(seconds_of_refusal(meeting))
        await passing(10)
        assert (meeting.announced, len(meeting.shown)) == ([], 1)
        meeting.person_joins("ann")

    assert refusing.result() == pytest.approx(15)
    assert meeting.announced == [SENTENCE]


@in_jumping_time
async def test_it_is_said_when_it_can_be_received() -> None:
    """Who is still joining receives no texts yet."""
    meeting = FakeMeeting()
    meeting.person_joins("ann", is_reachable=False)
    async with asyncio.TaskGroup() as group:
        group.create_task(refuse(meeting, ERROR, ["languages"]))
        await passing(1)
        assert meeting.announced == []
        meeting.person_changes("ann", is_reachable=True)
        await passing(0.1)
        assert meeting.announced == [SENTENCE]


@in_jumping_time
async def test_who_comes_at_the_last_moment_has_their_time_to_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The half minute is for the first person to come."""
    caplog.set_level(logging.INFO)
    meeting = FakeMeeting()
    async with asyncio.TaskGroup() as group:
        refusing = group.create_task(seconds_of_refusal(meeting))
        await passing(29)
        meeting.person_joins("ann")

    assert refusing.result() == pytest.approx(34)
    assert "no person came" not in caplog.text


@in_jumping_time
async def test_an_empty_room_is_left() -> None:
    """Nobody is waited for longer than half a minute."""
    meeting = FakeMeeting()

    assert await seconds_of_refusal(meeting) == pytest.approx(30)
    assert meeting.announced == []


@in_jumping_time
async def test_a_room_that_closes_ends_it() -> None:
    """There is nobody left to tell."""
    meeting = FakeMeeting()
    meeting.end()

    assert await seconds_of_refusal(meeting) == 0


def test_the_log_names_keys_only(caplog: pytest.LogCaptureFixture) -> None:
    """Whose config is wrong is for the room to read; the log has no identities."""
    meeting = FakeMeeting()
    meeting.end()
    secret = RoomConfigError([Problem("speakers.ann-lee.interpret", "must be true, not ann-lee")])

    @in_jumping_time
    async def run() -> None:
        await refuse(meeting, secret, ["speakers"])

    with caplog.at_level(logging.INFO, logger="palabra_agent"):
        run()

    assert len(caplog.records) == 1
    assert [it for it in caplog.records if "ann-lee" in str(it.__dict__)] == []


@pytest.mark.parametrize(("length", "expected"), [(10, False), (5000, True)])
def test_a_sentence_fits(length: int, expected: bool) -> None:
    """However many mistakes there are, the text is short enough for an attribute."""
    text = refusal_sentence(RoomConfigError([Problem("x", "y" * length)]))

    assert len(text) <= 2000
    assert text.endswith("…") is expected


def test_what_was_cut_is_told_to_the_room(caplog: pytest.LogCaptureFixture) -> None:
    """In one sentence, and in the log by the names of the limits; of no cuts nothing is said."""
    meeting = FakeMeeting()
    tell_of_cuts(meeting, [])
    assert (meeting.announced, caplog.records) == ([], [])

    cuts = [Problem("limits.max_speakers", "cut from 4711 to 9, the operator's ceiling")]
    tell_of_cuts(meeting, cuts)

    assert meeting.announced == [
        "This room has limits: limits.max_speakers: cut from 4711 to 9, the operator's ceiling"
    ]
    assert [vars(it)["limits"] for it in caplog.records] == [["limits.max_speakers"]]
    assert "4711" not in caplog.text
