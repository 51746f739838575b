"""Palabra behind a proxy: both of the client's own connections take the way that the rule says."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.errors import Unreachable
from palabra_agent.palabra.rest.api import ApiKey, open_api
from palabra_agent.palabra.transports.websocket import join_websocket
from tests.environment import environment
from tests.proxy import forward_proxy

pytestmark = pytest.mark.unit

HOST = "palabra.example"
"""Only the proxy can tell where it is."""


def server() -> TestServer:
    """A Palabra without sessions, whose WebSocket is silent."""

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"ok": True, "data": {"sessions": []}})

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    app = web.Application()
    app.router.add_get("/session-storage/sessions", listed)
    app.router.add_get("/stream", stream)
    return TestServer(app)


async def test_sessions_are_asked_for_through_the_proxy() -> None:
    """The name is looked up by the proxy alone."""
    async with forward_proxy() as proxy, server() as palabra:
        with environment({"HTTP_PROXY": proxy.url}):
            async with open_api(
                f"http://{HOST}:{palabra.port}", ApiKey("key"), allow_plain=True
            ) as api:
                assert len(await api.list_sessions()) == 0

    assert proxy.asked == [f"GET {HOST}/session-storage/sessions"]


async def test_the_websocket_is_opened_through_the_proxy() -> None:
    """`HTTP_PROXY` is meant for `ws` as well, and `HTTPS_PROXY` for `wss`."""
    async with forward_proxy() as proxy, server() as palabra:
        with environment({"HTTP_PROXY": proxy.url}):
            async with join_websocket(f"ws://{HOST}:{palabra.port}/stream", "token"):
                pass

    assert proxy.asked == [f"GET {HOST}/stream"]


async def test_what_needs_no_proxy_is_asked_directly() -> None:
    """This machine's own servers are, without a word about them."""
    async with forward_proxy() as proxy, server() as palabra:
        with environment({"HTTP_PROXY": proxy.url}):
            here = f"127.0.0.1:{palabra.port}"
            async with open_api(f"http://{here}", ApiKey("key")) as api:
                await api.list_sessions()
            async with join_websocket(f"ws://{here}/stream", "token"):
                pass

    assert proxy.asked == []


@pytest.mark.parametrize("secure", ["", "s"])
async def test_a_proxy_that_refuses_is_named(secure: str) -> None:
    """With and without TLS, on both connections: it is the proxy, and not Palabra."""
    async with forward_proxy(refuses_with=407) as proxy:
        with environment({"ALL_PROXY": proxy.url.replace("//", "//me:secret@")}):
            async with open_api(f"http{secure}://{HOST}", ApiKey("key"), allow_plain=True) as api:
                with pytest.raises(Unreachable) as asked:
                    await api.list_sessions()
            with pytest.raises(Unreachable) as joined:
                async with join_websocket(f"ws{secure}://{HOST}/stream", "token"):
                    pytest.fail("the proxy lets nothing through")

    assert str(asked.value) == str(joined.value)
    assert str(asked.value) == (
        f"Palabra cannot be reached at {HOST}: the proxy {proxy.url} refused to connect: HTTP 407: "
        "user and password are missing or wrong"
    )
