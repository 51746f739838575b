"""The real livekit-server: it comes up, takes people in, and its failures are sentences."""

from __future__ import annotations

import socket

import pytest
from livekit import api, rtc

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server, serve_livekit

pytestmark = pytest.mark.livekit


def _token(server: RunningLiveKit) -> str:
    grants = api.VideoGrants(room_join=True, room="a room")
    return (
        api.AccessToken(server.api_key, server.api_secret)
        .with_identity("alice")
        .with_grants(grants)
        .to_jwt()
    )


async def test_people_join_by_udp() -> None:
    """A participant joins, and media takes UDP: by TCP every delay measured here would be wrong."""
    async with run_livekit_server() as server:
        room = rtc.Room()
        await room.connect(server.url, _token(server))
        try:
            await server.child.wait_for_line('"connectionType": "udp"', seconds=10)
        finally:
            await room.disconnect()


async def test_several_run_side_by_side(livekit_server: RunningLiveKit) -> None:
    """A second server takes ports of its own."""
    async with run_livekit_server() as other:
        assert other.url != livekit_server.url

    assert other.child.has_ended
    assert not livekit_server.child.has_ended


async def test_a_taken_port_is_told() -> None:
    """A port in use is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SetupError, match=f"port {port} is taken"):
            await serve_livekit(port=port)


async def test_a_server_that_dies_is_told_with_its_last_line() -> None:
    """What livekit-server itself complained of is in the sentence."""
    with pytest.raises(SetupError, match="livekit-server ended") as caught:
        async with run_livekit_server(settings={"no_such_setting": True}):
            pass

    assert "no_such_setting" in str(caught.value)
