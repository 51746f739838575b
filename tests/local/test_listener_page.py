"""The listener's page of the demo: what its server gives, and what it refuses in a sentence."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from livekit import api

from palabra_agent.errors import SetupError
from palabra_agent.local.listener_page import PAGE, serve_listener_page

pytestmark = pytest.mark.unit


@dataclass(frozen=True)
class LiveKit:
    """The address and the keys of a server that is not asked anything."""

    url: str = "ws://127.0.0.1:9"
    api_key: str = "key"
    api_secret: str = "s" * 32


async def test_the_page_and_its_parts_are_served() -> None:
    """All that its first file names is there, and nothing comes from elsewhere."""
    async with serve_listener_page(LiveKit(), "board", port=0) as url, session() as browser:
        async with browser.get(url) as answer:
            page = await answer.text()
        parts = re.findall(r'(?:src|href)="(\./[^"]+)"', page)
        for part in parts:
            async with browser.get(url + part) as answer:
                assert answer.status == 200
                assert await answer.read() == (PAGE / part).read_bytes()

    assert [part.rpartition(".")[2] for part in parts] == ["js", "css"]
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


async def test_a_person_gets_a_pass_to_the_room_under_the_name_that_they_gave() -> None:
    """The room is the server's choice, and two people of one name are two people."""
    request = {"room_name": "another", "participant_name": " Ana\n María "}
    async with serve_listener_page(LiveKit(), "board", port=0) as url, session() as browser:
        passes = [await ask(browser, url, json=request) for _ in range(2)]

    claims = []
    for status, answer in passes:
        assert status == 200
        claims.append(api.TokenVerifier("key", "s" * 32).verify(answer["participant_token"]))
        assert answer["server_url"] == "ws://127.0.0.1:9"
    assert [it.name for it in claims] == ["Ana María", "Ana María"]
    assert [it.video.room for it in claims if it.video] == ["board", "board"]
    assert all(it.video and it.video.can_update_own_metadata for it in claims)
    assert claims[0].identity != claims[1].identity


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the request is no JSON"),
        (b"[]", "participant_name: a name that can be read is needed"),
        (b"{}", "participant_name: a name that can be read is needed"),
        (b'{"participant_name": 5}', "participant_name: a name that can be read is needed"),
        (b'{"participant_name": "\\u200b"}', "participant_name: a name that can be read is needed"),
    ],
)
async def test_who_has_no_name_gets_a_sentence(body: bytes, sentence: str) -> None:
    """And no pass."""
    async with serve_listener_page(LiveKit(), "board", port=0) as url, session() as browser:
        assert await ask(browser, url, data=body) == (400, sentence)


async def test_a_request_that_is_too_large_is_refused() -> None:
    """It is not read to its end."""
    async with serve_listener_page(LiveKit(), "board", port=0) as url, session() as browser:
        status, _ = await ask(browser, url, data=b" " * 100_000)

    assert status == 413


async def test_a_taken_port_is_told() -> None:
    """In a sentence that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SetupError, match=rf"127\.0\.0\.1:{port}: address already in use"):
            async with serve_listener_page(LiveKit(), "board", port=port):
                pass


def session() -> aiohttp.ClientSession:
    """A client."""
    return aiohttp.ClientSession()


async def ask(browser: aiohttp.ClientSession, url: str, **request: object) -> tuple[int, Any]:
    """Ask for a pass; returns the status, and JSON or a text."""
    async with browser.post(url + "token", **request) as answer:  # type: ignore[arg-type]
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else await answer.text()
