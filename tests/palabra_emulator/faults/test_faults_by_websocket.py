"""Faults as a client on a WebSocket meets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.clock import eventually
from tests.palabra_emulator.client import create_session
from tests.palabra_emulator.sounds import stream_task
from tests.palabra_emulator.transports.test_websocket import emulator
from tests.palabra_emulator.watching import arm, events_of, state_of, struck
from tests.palabra_emulator.websocket_client import (
    API_KEY,
    STREAM,
    StreamClient,
    connected,
    refusal,
)

pytestmark = pytest.mark.unit


@asynccontextmanager
async def running(**wish: object) -> AsyncGenerator[tuple[str, str, StreamClient]]:
    """Have a session that runs, its URL and id; a fault may be armed before it is made."""
    async with emulator() as place:
        if wish:
            await arm(place.url, **wish)
        session = await create_session(place.url)
        async with connected(place.url, session["publisher"]) as client:
            await client.start(stream_task("en", "es-mx"))
            yield place.url, session["id"], client


async def speak(client: StreamClient) -> None:
    """Have a text spoken."""
    await client.send("tts_task", text="Hola", language="es-mx", translate_text=False)


@pytest.mark.parametrize("status", [403, 401])
async def test_upgrade_may_be_refused(status: int) -> None:
    """F6: the HTTP status, for the session as long as it lives; a key is refused once."""
    async with emulator() as place:
        await arm(place.url, fault="F6", ws_status=status)
        session = await create_session(place.url)
        for _ in range(2):
            assert await refusal(place.url, session["publisher"]) == status

        await arm(place.url, fault="F6", ws_status=status)
        assert await refusal(place.url, API_KEY) == status
        assert await refusal(place.url, API_KEY) == 101


async def test_session_may_expire_before_it_is_joined() -> None:
    """F7: the upgrade is refused like any unknown token's."""
    async with emulator() as place:
        await arm(place.url, fault="F7")
        session = await create_session(place.url)
        assert await refusal(place.url, session["publisher"]) == 403


async def test_service_timeout_closes_the_socket() -> None:
    """F13: the error, and 1008 after 0.26 s."""
    async with running() as (url, _, client):
        await arm(url, fault="F13")
        error = await client.message("error")
        began = asyncio.get_running_loop().time()

        assert error["code"] == "SERVICE_TIMEOUT"
        assert await client.end() == 1008
        assert asyncio.get_running_loop().time() - began >= 0.2


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, 1001),
        ({"close_code": 1011}, 1011),
        ({"close_code": 1006}, 1006),
        ({"variant": "signal_drop"}, 1006),
    ],
)
async def test_socket_may_be_closed(wish: dict[str, object], code: int) -> None:
    """F17: with that code, or cut without a word."""
    async with running() as (url, session_id, client):
        await arm(url, fault="F17", **wish)

        assert await client.end() == code
        assert client.of_type("end_of_stream") == []
        assert await state_of(url, session_id) == "ended"


async def test_there_is_nothing_to_resume() -> None:
    """F8, F18 and F21 have no meaning here: the session goes on as before."""
    async with running() as (url, session_id, client):
        await arm(url, fault="F18")
        await arm(url, fault="F21")
        await arm(url, fault="F8", variant="leaves")
        await struck(url)
        await speak(client)
        await eventually(lambda: client.speech("es-mx").size > 0, "speech")
        assert not client.is_closed
        faults = [it.data for it in await events_of(url, session_id) if it.event == "fault"]
        passed_over = {it["fault"] for it in faults if it["action"] == "passed over"}
        assert passed_over == {"F8", "F18", "F21"}


async def test_sound_has_the_language_of_its_track() -> None:
    """F21: the code in the messages with sound is written otherwise."""
    async with running(fault="F21", variant="wrong_case") as (_, _, client):
        await speak(client)
        await eventually(lambda: client.speech("ES-MX").size > 0, "speech")
        assert client.speech("es-mx").size == 0


async def test_session_may_fall_silent() -> None:
    """F26: not even an answer comes any more, and the socket stays open."""
    async with running() as (url, session_id, client):
        await arm(url, fault="F26", after_seconds=0.1)
        await struck(url)
        count = len(client.messages)
        await client.send("get_task")
        await speak(client)
        await asyncio.sleep(0.3)

        assert len(client.messages) == count
        assert not client.is_closed
        assert await state_of(url, session_id) == "running"


async def test_senseless_frames_come_as_they_are() -> None:
    """F20: what is no text comes as a binary frame, all else as text."""
    async with emulator() as place:
        session = await create_session(place.url)
        query = {"token": session["publisher"]}
        async with (
            aiohttp.ClientSession(place.url) as http,
            http.ws_connect(STREAM, params=query) as socket,
        ):
            settings = stream_task("en", "es")
            await socket.send_json({"message_type": "set_task", "data": settings})
            await socket.receive_json()
            for variant in ("binary", "array"):
                await arm(place.url, fault="F20", variant=variant)
            frames = [await socket.receive() for _ in range(2)]

        assert [frame.type for frame in frames] == [
            aiohttp.WSMsgType.BINARY,
            aiohttp.WSMsgType.TEXT,
        ]
