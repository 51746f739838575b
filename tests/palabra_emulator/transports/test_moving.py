"""A client that moves from its room to a WebSocket."""

from __future__ import annotations

import pytest

from palabra_agent.local.livekit_server import RunningLiveKit
from tests.clock import eventually
from tests.palabra_emulator.client import create_session, open_client
from tests.palabra_emulator.sounds import spoken, stream_task
from tests.palabra_emulator.transports.test_livekit import emulator, local, room_names
from tests.palabra_emulator.watching import state_of
from tests.palabra_emulator.websocket_client import connected

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]


async def test_room_is_closed_when_the_client_comes_by_websocket(
    livekit_server: RunningLiveKit,
) -> None:
    """The waiting bot leaves, its room is gone, and the session goes on by WebSocket."""
    async with emulator(local(livekit_server)) as url:
        session = await create_session(url)
        room = session["webrtc_room_name"]
        assert room in await room_names(livekit_server)
        async with connected(url, session["publisher"]) as client:
            await client.start(stream_task("en", "es"))

            async def is_closed() -> bool:
                return room not in await room_names(livekit_server)

            await eventually(is_closed, "the end of the room")
            await client.sound(spoken(0.6).tobytes())
            await client.message("output_audio_data", lambda data: bool(data["last_chunk"]))
            assert client.speech("es").size
            await client.send("end_task")
            assert await client.end() == 1000
            assert await state_of(url, session["id"]) == "ended"


async def test_client_in_the_room_is_put_out(livekit_server: RunningLiveKit) -> None:
    """Who is in the room is disconnected; the task is carried on by WebSocket."""
    async with emulator(local(livekit_server)) as url, open_client(url) as former:
        await former.start(stream_task("en", "es") | {"input_stream": {}, "output_stream": None})
        async with connected(url, former.session["publisher"]) as client:
            await eventually(lambda: bool(former.disconnected), "the end in the room")
            await client.start(stream_task("en", "es"))
            await client.sound(spoken(0.6).tobytes())
            await client.message("validated_transcription")
