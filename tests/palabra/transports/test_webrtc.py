"""What a session's room means for the session, as far as it can be told without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from livekit import rtc

from palabra_agent.audio.rtc import AudioOutput
from palabra_agent.errors import SessionLost, Unreachable
from palabra_agent.palabra.event_stream import MOST_WAITING
from palabra_agent.palabra.protocol.messages import MALFORMED, StreamEnded
from palabra_agent.palabra.transports.allowance import TOO_MUCH, WORDS_ONLY
from palabra_agent.palabra.transports.port import (
    Disconnected,
    Interrupted,
    MessageReceived,
    Resumed,
    TransportEvent,
)
from palabra_agent.palabra.transports.webrtc import WebRtcTransport, join_room
from tests.clock import in_jumping_time, passing
from tests.odd_addresses import NO_ADDRESSES, PASSWORD

pytestmark = pytest.mark.unit


@dataclass
class Someone:
    """A participant."""

    identity: str


@dataclass
class EmptyRoom(rtc.EventEmitter[Any]):
    """A joined room whose events a test makes happen."""

    remote_participants: dict[str, Someone] = field(default_factory=dict[str, Someone])
    connection_state: int = rtc.ConnectionState.CONN_CONNECTED
    local_participant: object = None

    def __post_init__(self) -> None:
        """Begin to tell events."""
        super().__init__()


@asynccontextmanager
async def joined() -> AsyncGenerator[tuple[EmptyRoom, list[TransportEvent]]]:
    """Be in a room; what happens is in the list."""
    room, told = EmptyRoom(), list[TransportEvent]()
    transport = WebRtcTransport(cast("rtc.Room", room), cast("AudioOutput", None))

    async def note() -> None:
        async for event in transport.events():
            told.append(event)

    async with asyncio.TaskGroup() as group:
        noting = group.create_task(note())
        yield room, told
        transport.detach()
        noting.cancel()


@in_jumping_time
async def test_a_bot_that_left_is_not_missed_during_our_own_reconnect() -> None:
    """It vanished a moment before we did: only when we are back its absence counts."""
    async with joined() as (room, told):
        room.emit("participant_disconnected", Someone("palabra_translator_1"))
        room.connection_state = rtc.ConnectionState.CONN_RECONNECTING
        room.emit("reconnecting")
        await passing(10)
        assert told == [Interrupted()]

        room.connection_state = rtc.ConnectionState.CONN_CONNECTED
        room.emit("reconnected")
        await passing(1.9)
        assert told == [Interrupted(), Resumed()]
        await passing(0.2)
        assert told[2:] == [Disconnected("Palabra's bot left")]


@in_jumping_time
async def test_a_bot_that_is_back_is_not_missed() -> None:
    """After our reconnect it is there."""
    async with joined() as (room, told):
        room.emit("participant_disconnected", Someone("palabra_translator_1"))
        room.emit("reconnecting")
        room.remote_participants["it"] = Someone("palabra_translator_2")
        room.emit("reconnected")
        await passing(10)
        assert told == [Interrupted(), Resumed()]


@in_jumping_time
@pytest.mark.parametrize(
    ("reason", "was_useless"),
    [("MEDIA_FAILURE", True), ("ROOM_DELETED", False), ("SERVER_SHUTDOWN", False)],
)
async def test_a_room_without_media_is_of_no_use(reason: str, was_useless: bool) -> None:
    """Where sound cannot pass another transport may do better; elsewhere it will not."""
    async with joined() as (room, told):
        room.emit("disconnected", rtc.DisconnectReason.Value(reason))
        await passing(0.1)
        assert told == [Disconnected(f"disconnected ({reason})", was_useless)]


class DeafParticipant:
    """Ourselves in a room that takes no data any more."""

    async def publish_data(self, _data: bytes, *, reliable: bool) -> None:
        """Refuse."""
        raise rtc.participant.PublishDataError("the connection is closed")


@in_jumping_time
@pytest.mark.parametrize(
    ("is_over", "reason"),
    [(True, "disconnected \\(ROOM_DELETED\\)"), (False, "a command could not be sent")],
)
async def test_a_command_that_is_not_sent_is_told_with_what_ended_the_room(
    is_over: bool, reason: str
) -> None:
    """LiveKit refuses commands a moment before it says why."""
    room = EmptyRoom(local_participant=DeafParticipant())
    transport = WebRtcTransport(cast("rtc.Room", room), cast("AudioOutput", None))
    if is_over:
        deleted = rtc.DisconnectReason.ROOM_DELETED
        asyncio.get_running_loop().call_later(0.2, room.emit, "disconnected", deleted)
    with pytest.raises(SessionLost, match=reason):
        await transport.send(b"{}")


@dataclass
class Packet:
    """A data packet, as the room tells it."""

    data: bytes


@in_jumping_time
async def test_a_peer_that_chatters_is_left() -> None:
    """However fast packets come: no more than so many wait, and the end is the last of them."""
    async with joined() as (room, told):
        for _ in range(WORDS_ONLY.at_once + 100):
            room.emit("data_received", Packet(b"noise"))
        await passing(0.1)

    assert told[-1] == Disconnected(TOO_MUCH, was_excessive=True)
    assert told[:-1] == [MessageReceived(MALFORMED)] * (MOST_WAITING - 1)


@in_jumping_time
async def test_packets_come_in_order_with_what_else_happens() -> None:
    """A message is read when its turn has come, in its place."""
    async with joined() as (room, told):
        room.emit("data_received", Packet(b'{"message_type": "eos"}'))
        room.emit("reconnecting")
        room.emit("data_received", Packet(b"noise"))
        await passing(0.1)

    assert told == [MessageReceived(StreamEnded()), Interrupted(), MessageReceived(MALFORMED)]


@pytest.mark.parametrize("url", NO_ADDRESSES)
async def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    """It ends in a sentence, without a password that may be in it, and the SDK never sees it."""
    with pytest.raises(Unreachable, match=r"the session's address: it (must|is) ") as caught:
        async with join_room(url, "token"):
            pytest.fail("there is no such place")

    assert PASSWORD not in str(caught.value) + repr(caught.value)
