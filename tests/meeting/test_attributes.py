"""What the interpreter shows of itself."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.attributes import InterpreterAttributes
from tests.clock import eventually, in_jumping_time, passing
from tests.meeting.fake_room import FakeRoom

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")


def errors_of(room: FakeRoom) -> list[str]:
    """The errors that a room has shown, one after the other."""
    return [it["palabra.error"] for it in room.attributes]


def attributes_of(room: FakeRoom) -> InterpreterAttributes:
    """Make the attributes of an interpreter that offers two languages."""
    return InterpreterAttributes(room(), (EN, ES))


@in_jumping_time
async def test_a_status_is_six_attributes() -> None:
    """State, offer, live channels and error are each set, empty ones too, and LiveKit's own."""
    room = FakeRoom()
    degraded = attributes_of(room)
    degraded.show(RoomStatus(RoomState.DEGRADED, (ES, EN), "no balance"))
    await degraded.send_again()
    await attributes_of(room).send_again()

    assert room.attributes == [
        {
            "palabra.state": "degraded",
            "palabra.languages": "en,es",
            "palabra.live": "es,en",
            "palabra.error": "no balance",
            "palabra.synthetic": "true",
            "lk.agent.state": "listening",
        },
        {
            "palabra.state": "starting",
            "palabra.languages": "en,es",
            "palabra.live": "",
            "palabra.error": "",
            "palabra.synthetic": "true",
            "lk.agent.state": "initializing",
        },
    ]


@in_jumping_time
@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        (RoomState.LIVE, "", ("degraded", "captions are lost")),
        (RoomState.DEGRADED, "no balance", ("degraded", "no balance; captions are lost")),
        (RoomState.FAILED, "over", ("failed", "over; captions are lost")),
    ],
)
async def test_texts_that_are_not_read_are_shown(
    state: RoomState, error: str, expected: tuple[str, str]
) -> None:
    """A room whose people cannot read along is degraded, and says why until they can."""
    room = FakeRoom()
    shown = attributes_of(room)
    shown.show(RoomStatus(state, (ES,), error))
    shown.show_unread("captions are lost")
    await shown.send_again()
    shown.show_unread("")
    await shown.send_again()

    told = [(it["palabra.state"], it["palabra.error"]) for it in room.attributes]
    assert told == [expected, (state.value, error)]


@in_jumping_time
async def test_another_offer_is_shown_beside_what_was_there() -> None:
    """The languages may change; the same ones again are no reason to send anything."""
    room = FakeRoom()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        shown.show(RoomStatus(RoomState.LIVE, (EN,)))
        await eventually(lambda: room.attributes)
        shown.offer((ES,))
        await eventually(lambda: len(room.attributes) == 2)
        shown.offer([ES])
        await passing(5)
        keeping.cancel()

    assert [it["palabra.languages"] for it in room.attributes] == ["en,es", "es"]
    assert [it["palabra.live"] for it in room.attributes] == ["en", "en"]


@in_jumping_time
async def test_the_newest_is_shown_at_a_moderate_pace() -> None:
    """Of many changes the last is shown, with pauses between updates."""
    room = FakeRoom()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await eventually(lambda: room.attributes)
        for number in range(100):
            shown.show(RoomStatus(RoomState.LIVE, error=str(number)))
            await passing(0.01)
        await passing(5)
        keeping.cancel()

    assert errors_of(room)[-1] == "99"
    assert len(room.attributes) <= 5


@in_jumping_time
async def test_the_last_word_is_shown_before_we_leave() -> None:
    """Without the pause between updates, once, and not for ever."""
    room = FakeRoom()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await eventually(lambda: room.attributes)
        shown.show(RoomStatus(RoomState.FAILED, error="over"))
        await shown.show_now(0.3)
        await shown.show_now(0.3)
        keeping.cancel()
        assert errors_of(room) == ["", "over"]

    room.hang()
    shown.show(RoomStatus(RoomState.FAILED, error="really"))
    began = asyncio.get_running_loop().time()
    await shown.show_now(0.3)
    assert asyncio.get_running_loop().time() - began == pytest.approx(0.3, abs=0.1)


@in_jumping_time
async def test_a_room_that_hangs_is_given_up_for_the_newest() -> None:
    """One update that takes too long does not stop those after it."""
    room = FakeRoom()
    room.hang()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await passing(1)
        shown.show(RoomStatus(RoomState.LIVE, error="newest"))
        await passing(5)
        room.go_on()
        await eventually(lambda: errors_of(room) == ["newest"])
        keeping.cancel()


@in_jumping_time
async def test_nothing_is_shown_while_reconnecting() -> None:
    """Then the newest is sent again by whoever knows that we are back."""
    room = FakeRoom(is_connected=False)
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        shown.show(RoomStatus(RoomState.LIVE, error="newest"))
        await passing(10)
        assert room.attributes == []
        room.is_connected = True
        await shown.send_again()
        keeping.cancel()

    assert errors_of(room) == ["newest"]


@in_jumping_time
@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RoomState.STARTING, ["initializing"]),
        (RoomState.LIVE, ["listening", "speaking", "listening"]),
        (RoomState.DEGRADED, ["listening", "speaking", "listening"]),
        (RoomState.FAILED, ["idle"]),
    ],
)
async def test_a_sounding_channel_is_shown_as_livekit_shows_a_speaking_agent(
    state: RoomState, expected: list[str]
) -> None:
    """From the first frame until a second after the last; the gaps between words do not count."""
    room = FakeRoom()
    shown = attributes_of(room)
    shown.show(RoomStatus(state))
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await passing(1)
        for _ in range(10):
            shown.note_sound()
            await passing(0.9)
        await passing(5)
        keeping.cancel()

    told = [it["lk.agent.state"] for it in room.attributes]
    assert [it for it, _ in itertools.groupby(told)] == expected
