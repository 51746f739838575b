"""Whether LiveKit lets us in, against a server that answers whatever a test tells it to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from livekit import api

from palabra_agent.config.settings import LiveKitSettings, load_livekit_settings
from palabra_agent.errors import MeetingError
from palabra_agent.local.processes import free_port
from palabra_agent.worker.livekit_api import (
    ServerUnreachable,
    check_livekit,
    check_registration,
    check_rooms,
    hidden_participants,
    interpreter_comes,
)
from tests.environment import environment
from tests.proxy import forward_proxy

pytestmark = pytest.mark.unit


def livekit_at(url: str) -> LiveKitSettings:
    """Settings for a server at an address."""
    variables = {"LIVEKIT_URL": url, "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "s" * 40}
    with environment({**variables, "PALABRA_ALLOW_PLAIN_ADDRESSES": "true"}):
        return load_livekit_settings()


@asynccontextmanager
async def answering(answer: web.Response) -> AsyncGenerator[LiveKitSettings]:
    """A server with one answer to everything."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(status=answer.status, body=answer.body, headers=answer.headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        yield livekit_at(str(server.make_url("")).rstrip("/"))


async def failure(answer: web.Response) -> tuple[MeetingError, str]:
    """What `check_livekit` says of a server with one answer, and the address of that server."""
    async with answering(answer) as livekit:
        with pytest.raises(MeetingError) as caught:
            await check_livekit(livekit)

    return caught.value, livekit.url


NO_ANSWERS = {
    "refuses": web.Response(status=500),
    "is a web server": web.Response(text="hello, I am a web server"),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
async def test_who_is_hidden_may_stay_unknown(answer: web.Response) -> None:
    """A meeting goes on without an answer, whatever comes instead of one."""
    async with answering(answer) as livekit:
        assert await hidden_participants(livekit, "board") is None


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
async def test_no_interpreter_is_known_where_there_is_no_answer(answer: web.Response) -> None:
    """What was asked beside the way raises nothing."""
    async with answering(answer) as livekit:
        assert not await interpreter_comes(livekit, "board", seconds=0.1)


async def test_a_livekit_server_lets_us_in() -> None:
    """An answer of the API is all that is asked for."""
    asked: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=api.ListRoomsResponse().SerializeToString())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        await check_livekit(livekit_at(str(server.make_url("")).rstrip("/")))

    assert asked == ["/twirp/livekit.RoomService/ListRooms"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_proxy_without_its_server_is_asked_again(status: int) -> None:
    """While LiveKit restarts behind a balancer it counts as one that does not answer."""
    error, url = await failure(web.Response(status=status, text="<html>come back later"))

    assert isinstance(error, ServerUnreachable)
    assert str(error) == f"LiveKit at {url} is not available: HTTP {status}"


async def test_a_passing_refusal_is_told_in_its_own_words() -> None:
    """What LiveKit says of its trouble is in the sentence."""
    body = {"code": "unavailable", "msg": "no nodes"}
    error, url = await failure(web.json_response(body, status=503))

    assert isinstance(error, ServerUnreachable)
    assert str(error) == f"LiveKit at {url} is not available: no nodes"


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_another_kind_of_server_is_told(status: int) -> None:
    """What is no LiveKit server will not become one by asking again."""
    error, url = await failure(web.Response(status=status, text="<html>"))

    assert not isinstance(error, ServerUnreachable)
    assert str(error) == f"{url} answered HTTP {status}: is it a LiveKit server?"


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_told(status: int) -> None:
    """The sentence says which variables to look at."""
    error, _ = await failure(web.Response(status=status))

    assert not isinstance(error, ServerUnreachable)
    assert "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET" in str(error)


async def test_nobody_there_is_told() -> None:
    """A refused connection is a server that may come up yet."""
    url = f"ws://127.0.0.1:{free_port()}"
    with pytest.raises(ServerUnreachable) as caught:
        await check_livekit(livekit_at(url))

    assert str(caught.value) == f"LiveKit cannot be reached at {url}: connection refused"


async def test_a_server_of_something_else_is_told() -> None:
    """A success that is no message of LiveKit's is a sentence, not a decoder's error."""
    error, url = await failure(web.Response(text="hello, I am a web server"))

    assert str(error) == f"what answers at {url} is no LiveKit server"


@pytest.mark.parametrize("status", [401, 403])
async def test_a_room_that_refuses_us_could_be_reached(status: int) -> None:
    """The SDK asks with a token that allows nothing, so that nothing is joined."""
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, text="permissions denied")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    async with TestServer(app) as server:
        with environment({}):
            await check_rooms(livekit_at(f"ws://127.0.0.1:{server.port}"))

    assert asked


async def test_a_room_that_the_sdk_does_not_reach_is_told() -> None:
    """Its own connection counts, whatever the API said."""
    url = f"ws://127.0.0.1:{free_port()}"
    with environment({}), pytest.raises(ServerUnreachable) as caught:
        await check_rooms(livekit_at(url))

    assert str(caught.value) == (
        f"LiveKit answers, but no room can be joined at {url}: the connection failed"
    )


@pytest.mark.parametrize("scheme", ["ws", "wss"])
async def test_a_proxy_in_the_way_is_named_for_each_connection(scheme: str) -> None:
    """By API, registration and the SDK; none mentions the password."""
    async with forward_proxy(refuses_with=407) as proxy:
        livekit = livekit_at(f"{scheme}://livekit.example")
        with environment({"ALL_PROXY": proxy.url.replace("//", "//me:secret@")}):
            sentences: list[str] = []
            for check in (check_livekit, check_registration, check_rooms):
                with pytest.raises(ServerUnreachable) as caught:
                    await check(livekit)
                sentences.append(str(caught.value))

    assert all(f"the proxy {proxy.url}" in sentence for sentence in sentences)
    assert all("HTTP 407" in sentence for sentence in sentences[:2])
    assert not any("secret" in sentence for sentence in sentences)
    assert "CONNECT livekit.example" in proxy.asked
