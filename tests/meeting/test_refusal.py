"""A room whose config is wrong: said, read, left."""

from __future__ import annotations

import asyncio
import logging

import pytest

from palabra_agent.errors import Problem, RoomConfigError
from palabra_agent.interpretation.ports import Condition, RoomState
from palabra_agent.meeting.refusal import refusal_sentence, refuse
from tests.clock import in_jumping_time, passing
from tests.fakes import FakeFloor

pytestmark = pytest.mark.unit

ERROR = RoomConfigError([Problem("languages[0]", "unknown"), Problem("", "too long")])
SENTENCE = "No interpretation, the room's configuration is wrong: languages[0]: unknown; too long"


async def seconds_of_refusal(floor: FakeFloor) -> float:
    """Refuse, and tell how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await refuse(floor, ERROR, ["languages"])
    return loop.time() - began


@in_jumping_time
async def test_those_who_are_there_can_read_it() -> None:
    """It is said in chat and state; people see us, and have five seconds more."""
    floor = FakeFloor()
    floor.person_joins("ann")

    assert await seconds_of_refusal(floor) == pytest.approx(7.5)
    assert floor.announced == [SENTENCE]
    assert floor.shown == [Condition(RoomState.FAILED, error=SENTENCE)]


@in_jumping_time
async def test_somebody_who_comes_later_can_read_it_too() -> None:
    """It is said when there is somebody, who then has five seconds."""
    floor = FakeFloor()
    async with asyncio.TaskGroup() as group:
        refusing = group.create_task(seconds_of_refusal(floor))
        await passing(10)
        assert (floor.announced, len(floor.shown)) == ([], 1)
        floor.person_joins("ann")

    assert refusing.result() == pytest.approx(15)
    assert floor.announced == [SENTENCE]


@in_jumping_time
async def test_an_empty_room_is_left() -> None:
    """Nobody is waited for longer than half a minute."""
    floor = FakeFloor()

    assert await seconds_of_refusal(floor) == pytest.approx(30)
    assert floor.announced == []


@in_jumping_time
async def test_a_room_that_closes_ends_it() -> None:
    """There is nobody left to tell."""
    floor = FakeFloor()
    floor.end()

    assert await seconds_of_refusal(floor) == 0


def test_the_log_names_keys_only(caplog: pytest.LogCaptureFixture) -> None:
    """Whose config is wrong is for the room to read; the log has no identities."""
    floor = FakeFloor()
    floor.end()
    secret = RoomConfigError([Problem("speakers.ann-lee.interpret", "must be true, not ann-lee")])

    @in_jumping_time
    async def run() -> None:
        await refuse(floor, secret, ["speakers"])

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
