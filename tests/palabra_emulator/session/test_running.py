"""A session whose client changes its connection."""

from __future__ import annotations

import asyncio

import pytest

from palabra_emulator.session.running import ClientConnections, serve
from palabra_emulator.transports.ports import RoomNames
from tests.clock import eventually
from tests.palabra_emulator.fakes import (
    FakeTransport,
)
from tests.palabra_emulator.talk import Talk

pytestmark = pytest.mark.unit


async def test_connection_is_served_when_the_one_before_is_no_more() -> None:
    """The last packets of a client that changes its transport are judged by the old rules."""
    talk = Talk()
    connections = ClientConnections(begins_in_room=True)
    room = FakeTransport(RoomNames("room", "bot", "client"))
    socket = FakeTransport(RoomNames("room", "bot", "client"))
    first = connections.begin(room, "webrtc")
    connections.add_websocket(socket)
    second = await connections.next()
    assert second is not None

    async with asyncio.TaskGroup() as serving:
        later = serving.create_task(serve(talk.session, talk.conversation, second, keep_sids=True))
        await asyncio.wait([later], timeout=0.05)
        assert talk.session.transport == "webrtc"
        await serve(talk.session, talk.conversation, first, keep_sids=True)
        await eventually(lambda: talk.session.transport == "ws", "the second connection")
        talk.session.end("over")
