"""What the interpreter shows of itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.attributes import InterpreterAttributes
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")


@dataclass
class FakeRoom:
    """A room that takes attributes, or not."""

    is_connected: bool = True
    shown: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    taking: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.taking.set()

    @property
    def local_participant(self) -> FakeRoom:
        """Be one's own participant."""
        return self

    @property
    def errors(self) -> list[str]:
        """What was shown as wrong, one after the other."""
        return [it["palabra.error"] for it in self.shown]

    @property
    def connection_state(self) -> rtc.ConnectionState.ValueType:
        """Tell whether anything can be shown."""
        state = rtc.ConnectionState
        return state.CONN_CONNECTED if self.is_connected else state.CONN_RECONNECTING

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Take attributes."""
        await self.taking.wait()
        self.shown.append(attributes)


def attributes_of(room: FakeRoom) -> InterpreterAttributes:
    """Make the attributes of an interpreter that offers two languages."""
    return InterpreterAttributes(cast("rtc.Room", room), (EN, ES))


@in_jumping_time
async def test_a_condition_is_four_attributes() -> None:
    """State, offer, live channels and error are each set, empty ones too."""
    room = FakeRoom()
    degraded = attributes_of(room)
    degraded.show(RoomStatus(RoomState.DEGRADED, (ES, EN), "no balance"))
    await degraded.send_again()
    await attributes_of(room).send_again()

    assert room.shown == [
        {
            "palabra.state": "degraded",
            "palabra.languages": "en,es",
            "palabra.live": "es,en",
            "palabra.error": "no balance",
        },
        {
            "palabra.state": "starting",
            "palabra.languages": "en,es",
            "palabra.live": "",
            "palabra.error": "",
        },
    ]


@in_jumping_time
async def test_another_offer_is_shown_beside_what_was_there() -> None:
    """The languages may change; the same ones again are no reason to send anything."""
    room = FakeRoom()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        shown.show(RoomStatus(RoomState.LIVE, (EN,)))
        await eventually(lambda: room.shown)
        shown.offer((ES,))
        await shown.until_shown(5)
        shown.offer([ES])
        await passing(5)
        keeping.cancel()

    assert [it["palabra.languages"] for it in room.shown] == ["en,es", "es"]
    assert [it["palabra.live"] for it in room.shown] == ["en", "en"]


@in_jumping_time
async def test_the_newest_is_shown_at_a_moderate_pace() -> None:
    """Of many changes the last is shown, with pauses between updates."""
    room = FakeRoom()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await eventually(lambda: room.shown)
        for number in range(100):
            shown.show(RoomStatus(RoomState.LIVE, error=str(number)))
            await passing(0.01)
        await passing(5)
        keeping.cancel()

    assert room.errors[-1] == "99"
    assert len(room.shown) <= 5


@in_jumping_time
async def test_a_room_that_hangs_is_given_up_for_the_newest() -> None:
    """One update that takes too long does not stop those after it."""
    room = FakeRoom()
    room.taking.clear()
    shown = attributes_of(room)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(shown.keep_shown())
        await passing(1)
        shown.show(RoomStatus(RoomState.LIVE, error="newest"))
        await passing(5)
        room.taking.set()
        await eventually(lambda: room.errors == ["newest"])
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
        assert room.shown == []
        room.is_connected = True
        await shown.send_again()
        keeping.cancel()

    assert room.errors == ["newest"]
