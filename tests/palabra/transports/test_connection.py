"""Opening a WebSocket at Palabra, and being refused."""

from __future__ import annotations

import asyncio
import traceback

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.errors import ApiError, ErrorClass, PalabraError, Unreachable
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.transports.stream.connection import closing_reason, open_socket
from tests.clock import in_jumping_time
from tests.palabra.transports.stream_peer import TOKEN, StreamPeer, stream_peer

pytestmark = pytest.mark.unit


async def refusal(url: str) -> PalabraError:
    """Be refused; and see to it that nothing of the token is told, whoever prints it how."""
    async with aiohttp.ClientSession() as http:
        with pytest.raises(PalabraError) as caught:
            await open_socket(http, url, TOKEN)

    error = caught.value
    assert error.__context__ is None
    assert TOKEN not in "".join(traceback.format_exception(error)) + repr(error) + str(error)
    return error


@pytest.mark.parametrize(
    ("accepts", "upgrades"), [("header", ["header"]), ("address", ["header", "address"])]
)
async def test_the_token_is_shown_in_a_header_first(accepts: str, upgrades: list[str]) -> None:
    """It stands in the address only where the header was refused, and never in both."""
    async with stream_peer(StreamPeer(accepts)) as peer, aiohttp.ClientSession() as http:
        socket = await open_socket(http, peer.url, TOKEN)
        await socket.close()

    assert peer.upgrades == upgrades


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_token_may_mean_an_empty_account(status: int) -> None:
    """Both causes are named; the same will not be asked again."""
    async with stream_peer(StreamPeer("nowhere", refusal=status)) as peer:
        error = await refusal(peer.url)

    assert str(error) == (
        f"Palabra refused: the token was refused, or the balance is exhausted (HTTP {status})"
    )
    assert not error.retryable
    assert peer.upgrades == ["header", "address"]


@pytest.mark.parametrize(("status", "is_retryable"), [(404, False), (429, True), (503, True)])
async def test_other_refusals_are_not_about_the_token(status: int, is_retryable: bool) -> None:
    """They are asked once, and told with their status."""
    async with stream_peer(StreamPeer("nowhere", refusal=status)) as peer:
        error = await refusal(peer.url)

    assert isinstance(error, ApiError)
    assert (error.status, error.retryable) == (status, is_retryable)
    assert peer.upgrades == ["header"]


async def test_what_is_no_websocket_is_unreachable() -> None:
    """A page that answers where the stream should be is told as what it is."""
    async with stream_peer(StreamPeer("nowhere", refusal=200)) as peer:
        error = await refusal(peer.url)

    assert isinstance(error, Unreachable)
    assert "does not speak WebSocket" in str(error)


@pytest.mark.parametrize("url", ["ws://127.0.0.1:{port}/stream", "ws://127.0.0.1:{port}/a?b=c"])
async def test_nobody_there_is_unreachable(url: str) -> None:
    """The host is named and the reason, with nothing of the address behind it."""
    error = await refusal(url.format(port=free_port()))

    assert str(error) == "Palabra cannot be reached at 127.0.0.1: connection refused"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x/y"])
async def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    """Whatever the session's answer holds, it ends in a sentence."""
    assert isinstance(await refusal(url), Unreachable)


async def silently(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take a connection and say nothing until it is gone."""
    await reader.read()
    writer.close()


@in_jumping_time
async def test_silence_is_waited_for_only_so_long() -> None:
    """A peer that never answers is given up after a quarter of a minute."""
    server = await asyncio.start_server(silently, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(f"ws://127.0.0.1:{port}/stream")

    assert isinstance(error, Unreachable)
    assert error.error_class is ErrorClass.TIMEOUT
    assert "not connected within 15 s" in str(error)


async def test_the_address_may_ask_for_something_new_each_time() -> None:
    """Where it holds a place for a random word, each connection has its own."""
    places: list[str] = []

    async def note(request: web.Request) -> web.StreamResponse:
        places.append(request.match_info["place"])
        return web.Response(status=404)

    app = web.Application()
    app.router.add_get("/{place}/stream", note)
    async with TestServer(app) as server:
        for _ in range(2):
            await refusal(f"ws://127.0.0.1:{server.port}/{{random_hash}}/stream")

    assert len(set(places)) == 2
    assert all(place.isalnum() for place in places)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, "Palabra closed the connection (1000)"),
        (1001, "Palabra closed the connection, as it goes away (1001)"),
        (1006, "the connection broke off (1006)"),
        (None, "the connection broke off (1006)"),
        (
            1008,
            "Palabra closed the connection: a rate limit was exceeded, or nothing was heard for"
            " too long (1008)",
        ),
        (1011, "Palabra closed the connection after an error of its own (1011)"),
        (4999, "Palabra closed the connection (4999)"),
    ],
)
def test_each_closing_has_its_words(code: int | None, words: str) -> None:
    """Whoever reads them knows what to look for."""
    assert closing_reason(code) == words
