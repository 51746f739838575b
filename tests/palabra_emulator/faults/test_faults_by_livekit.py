"""Faults as a WebRTC client meets them, on a real LiveKit server."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from livekit import rtc

from palabra_agent.local.livekit_server import RunningLiveKit
from tests.clock import eventually
from tests.palabra_emulator.client import Client, create_session, open_client, task
from tests.palabra_emulator.transports.test_livekit import emulator, local
from tests.palabra_emulator.watching import arm, state_of

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]


def bots(client: Client) -> list[str]:
    """The bots that are in the room."""
    names = client.room.remote_participants
    return [name for name in names if name.startswith("palabra_translator_")]


async def test_invalid_token_lets_nobody_in(livekit_server: RunningLiveKit) -> None:
    """F6: joining fails; the next session can be joined."""
    async with emulator(local(livekit_server)) as url:
        await arm(url, fault="F6")
        session = await create_session(url)
        room = rtc.Room()
        with pytest.raises(rtc.ConnectError, match="401"):
            await room.connect(session["webrtc_url"], session["publisher"])

        async with open_client(url) as client:
            assert client.room.isconnected()


async def test_late_bot_finds_who_is_there_already(livekit_server: RunningLiveKit) -> None:
    """F8: nobody is there at first; then the bot obeys, and hears who has been speaking."""
    async with emulator(local(livekit_server)) as url:
        await arm(url, fault="F8", variant="late", delay_ms=1500)
        async with open_client(url) as client:
            assert bots(client) == []
            await client.send("get_task")
            await eventually(lambda: bots(client) != [], "the bot")
            assert client.of_type("error") == []
            began = time.monotonic()
            await client.start(task("en", "es"))
            await client.speak(1.2)
            await client.hears("es", 500, since=began)


async def test_bot_leaves_in_the_middle(livekit_server: RunningLiveKit) -> None:
    """F8: the participant and its track are gone, the client stays in the room."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await eventually(lambda: "translation_es" in client.tracks, "the track")
        await arm(url, fault="F8", variant="leaves")
        await eventually(lambda: bots(client) == [], "the bot's leaving")

        await client.send("get_task")
        await client.speak(1.0)
        assert client.unsubscribed == ["translation_es"]
        assert client.disconnected == []
        assert client.of_type("current_task") == []
        assert await state_of(url, client.session["id"]) == "running"


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        ("removed", rtc.DisconnectReason.PARTICIPANT_REMOVED),
        ("room_deleted", rtc.DisconnectReason.ROOM_DELETED),
        ("server_shutdown", rtc.DisconnectReason.SERVER_SHUTDOWN),
    ],
)
async def test_server_closes_the_room(
    livekit_server: RunningLiveKit, variant: str, reason: rtc.DisconnectReason.ValueType
) -> None:
    """F17: the client is disconnected for that reason, without last words."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await arm(url, fault="F17", variant=variant)
        await eventually(lambda: client.disconnected != [], "the disconnection")

        assert client.disconnected == [reason]
        assert client.of_type("end_of_stream") == []
        assert await state_of(url, client.session["id"]) == "ended"


async def test_signalling_breaks_for_good(livekit_server: RunningLiveKit) -> None:
    """F17: no word, and no way back in; the client finds out by itself."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        states: list[Any] = []
        client.room.on("connection_state_changed", states.append)
        await client.start(task("en", "es"))
        await arm(url, fault="F17", variant="signal_drop")
        await eventually(lambda: states != [], "the client's noticing")

        assert states[0] == rtc.ConnectionState.CONN_RECONNECTING
        assert await state_of(url, client.session["id"]) == "ended"


async def test_short_loss_is_survived(livekit_server: RunningLiveKit) -> None:
    """F18: LiveKit resumes, what came meanwhile is lost, and the session is the same."""
    options = replace(local(livekit_server), queue_map_hz=20.0)
    async with emulator(options) as url, open_client(url) as client:
        events: list[str] = []
        client.room.on("reconnecting", lambda: events.append("reconnecting"))
        client.room.on("reconnected", lambda: events.append("reconnected"))
        await client.start(task("en", "es"))
        await arm(url, fault="F18", delay_ms=1500)
        await eventually(lambda: "reconnected" in events, "the return", seconds=20)
        count = len(client.messages)
        await eventually(lambda: len(client.messages) > count, "the next message")

        began = time.monotonic()
        await client.speak(1.2)
        await client.hears("es", 500, since=began)
        assert events == ["reconnecting", "reconnected"]
        assert max(after - before for before, after in pairwise(client.times)) > 1.0
        assert client.disconnected == []
        assert await state_of(url, client.session["id"]) == "running"


async def test_tracks_are_published_again(livekit_server: RunningLiveKit) -> None:
    """F21: the same name under another sid, and speech is heard on it."""
    async with emulator(local(livekit_server)) as url, open_client(url) as client:
        await client.start(task("en", "es"))
        await eventually(lambda: "translation_es" in client.tracks, "the track")
        before = client.tracks.get("translation_es")
        await arm(url, fault="F21")
        await eventually(
            lambda: client.tracks.get("translation_es", before) != before, "the new track"
        )

        began = time.monotonic()
        await client.speak(1.2)
        await client.hears("es", 500, since=began)
        assert client.unsubscribed == ["translation_es"]


async def test_tracks_have_other_names(livekit_server: RunningLiveKit) -> None:
    """F21: `translation_ES-MX` for `es-mx`, with the speech on it."""
    async with emulator(local(livekit_server)) as url:
        await arm(url, fault="F21", variant="wrong_case")
        async with open_client(url) as client:
            await client.start(task("en", "es-mx"))
            began = time.monotonic()
            await client.speak(1.2)
            await client.hears("ES-MX", 500, since=began)
            assert [*client.tracks] == ["translation_ES-MX"]
