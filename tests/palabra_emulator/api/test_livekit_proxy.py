"""The way to LiveKit: which requests pass, and how."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_emulator.api.livekit_proxy import LiveKitProxy
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.unit


def token(room: str) -> str:
    """A token for a room, signed by nobody."""
    claims = json.dumps({"video": {"room": room, "roomJoin": True}}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


class Upstream:
    """A server that notes what reaches it, and echoes on its socket."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.authorizations: list[str | None] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Echo."""
        self.seen.append((request.method, request.path, request.query_string))
        self.authorizations.append(request.headers.get("Authorization"))
        if request.query.get("refuse"):
            return web.Response(status=401, text="invalid token")
        if request.headers.get("Upgrade", "").lower() != "websocket":
            headers = {"Access-Control-Allow-Origin": request.headers.get("Origin", "-")}
            return web.Response(text="success", headers=headers)

        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.data == "close":
                await socket.close(code=4001)
            elif message.type is aiohttp.WSMsgType.TEXT:
                await socket.send_str(message.data.upper())
            else:
                await socket.send_bytes(message.data[::-1])

        return socket


@asynccontextmanager
async def proxied() -> AsyncGenerator[tuple[Upstream, aiohttp.ClientSession]]:
    """Have an upstream and a client whose base is the proxy; only `open` is an open room."""
    upstream = Upstream()
    behind = web.Application()
    behind.router.add_route("*", "/{tail:.*}", upstream.answer)
    async with TestServer(behind) as livekit, aiohttp.ClientSession() as http:
        front = web.Application()
        url = str(livekit.make_url("")).replace("http", "ws", 1)
        LiveKitProxy(url, lambda room: room == "open", http).add_to(front)
        async with TestServer(front) as proxy, aiohttp.ClientSession(proxy.make_url("/")) as client:
            yield upstream, client


@pytest.mark.parametrize(
    ("path", "reached"),
    [
        ("/livekit/rtc/validate?x=1", ("GET", "/rtc/validate", "x=1")),
        ("/livekit//rtc/validate", ("GET", "/rtc/validate", "")),
        ("/livekit/", ("GET", "/", "")),
        ("/livekit", ("GET", "/", "")),
        ("/livekit/rtc", ("GET", "/rtc", "")),
    ],
)
async def test_palabras_surface_is_passed_on(path: str, reached: tuple[str, str, str]) -> None:
    """The prefix is stripped and double slashes collapse."""
    async with proxied() as (upstream, client), client.get(path) as answer:
        assert answer.status == 200
        assert upstream.seen == [reached]


@pytest.mark.parametrize(
    "path",
    [
        "/livekit/rtc/v1",
        "/livekit//rtc/v1?join_request=x",
        "/livekit/rtc/v1/validate",
        "/livekit/twirp/livekit.RoomService/ListRooms",
        "/livekit/agent",
        "/livekit/settings/regions",
        "/livekit/rtc/../agent",
    ],
)
async def test_nothing_else_is(path: str) -> None:
    """Newer signalling and the server's other doors are not there."""
    async with proxied() as (upstream, client):
        for method in ("GET", "POST"):
            async with client.request(method, path) as answer:
                assert answer.status == 404
        assert upstream.seen == []


async def test_head_and_browsers_headers_pass() -> None:
    """A browser's HEAD is answered, and LiveKit's own headers for it come through."""
    async with (
        proxied() as (upstream, client),
        client.head("/livekit/", headers={"Origin": "http://page"}) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "http://page"
        assert upstream.seen == [("HEAD", "/", "")]


@pytest.mark.parametrize("form", ["query", "header"])
async def test_sockets_are_joined_both_ways(form: str) -> None:
    """Text, binary and the closing code cross, with the token in either place."""
    name = token("open")
    path = "/livekit//rtc?protocol=15" + (f"&access_token={name}" if form == "query" else "")
    headers = {"Authorization": f"Bearer {name}"} if form == "header" else {}
    async with proxied() as (upstream, client), client.ws_connect(path, headers=headers) as socket:
        await socket.send_str("hello")
        text = await socket.receive_str(timeout=HANG_SECONDS)
        await socket.send_bytes(b"abc")
        binary = await socket.receive_bytes(timeout=HANG_SECONDS)
        await socket.send_str("close")
        closing = await socket.receive(timeout=HANG_SECONDS)

        assert (text, binary) == ("HELLO", b"cba")
        assert (closing.type, closing.data) == (aiohttp.WSMsgType.CLOSE, 4001)
        assert upstream.authorizations == [headers.get("Authorization")]


async def test_refused_socket_has_the_upstreams_status() -> None:
    """A token that LiveKit refuses is refused with its status, not with a broken socket."""
    async with proxied() as (_, client):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await client.ws_connect("/livekit/rtc?refuse=1")

    assert caught.value.status == 401


@pytest.mark.parametrize("room", ["meeting", "ended"])
async def test_other_rooms_are_out_of_reach(room: str) -> None:
    """A token for a room without a living session opens nothing."""
    async with proxied() as (upstream, client):
        for path in ("/livekit/rtc", "/livekit/rtc/validate"):
            async with client.get(path, params={"access_token": token(room)}) as answer:
                assert answer.status == 404
        assert upstream.seen == []


async def test_absent_livekit_is_a_bad_gateway() -> None:
    """Where nothing listens, the answer is 502."""
    async with aiohttp.ClientSession() as http:
        front = web.Application()
        LiveKitProxy("ws://127.0.0.1:1", lambda room: True, http).add_to(front)
        async with TestServer(front) as proxy, http.get(proxy.make_url("/livekit/rtc")) as answer:
            assert answer.status == 502


async def test_deeply_nested_token_is_livekits_to_refuse() -> None:
    """Claims nested beyond depth name no room, and are passed on like any unreadable token."""
    claims = base64.urlsafe_b64encode(b"[" * 5_700).decode().rstrip("=")
    headers = {"Authorization": f"Bearer e30.{claims}.c2ln"}
    async with proxied() as (_, http), http.get("/livekit/rtc/validate", headers=headers) as answer:
        assert answer.status == 200
