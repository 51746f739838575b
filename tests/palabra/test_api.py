"""The session API, against a server that answers whatever a test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.errors import ApiError, PalabraError, Unreachable
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.api import (
    ApiKey,
    AppCredentials,
    Credentials,
    PalabraApi,
    SessionTicket,
    open_api,
)
from tests.clock import in_jumping_time

pytestmark = pytest.mark.unit

SECRET = "very-private"
CLIENT = AppCredentials("client", SECRET)
TICKET = {
    "id": "s1",
    "publisher": f"{SECRET}-token",
    "webrtc_url": "wss://rtc.example",
    "ws_url": "wss://ws.example",
    "subscriber": [],
}


@dataclass
class Palabra:
    """A server that remembers what it was asked."""

    url: str = ""
    requests: list[tuple[str, str, dict[str, str], Any]] = field(
        default_factory=list[tuple[str, str, dict[str, str], Any]]
    )
    """Method, raw path, headers in lower case, body."""


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(answer: Answer) -> AsyncGenerator[Palabra]:
    """Run a server that gives one answer to everything."""
    palabra = Palabra()

    async def serve(request: web.Request) -> web.StreamResponse:
        body = await request.text()
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = (request.method, request.raw_path, headers, json.loads(body) if body else None)
        palabra.requests.append(asked)
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        palabra.url = str(server.make_url(""))
        yield palabra


@asynccontextmanager
async def api_that_gets(
    status: int, body: object = None, *, credentials: Credentials = CLIENT, raw: str | None = None
) -> AsyncGenerator[tuple[PalabraApi, Palabra]]:
    """Open the API on a server with one answer."""

    async def answer(_: web.Request) -> web.StreamResponse:
        text = json.dumps(body) if raw is None else raw
        return web.Response(status=status, text=text, content_type="application/json")

    async with answering(answer) as palabra, open_api(palabra.url, credentials) as api:
        yield api, palabra


async def test_a_session_is_created() -> None:
    """The documented request gets a ticket with what is needed to join."""
    async with api_that_gets(201, {"ok": True, "data": TICKET}) as (api, palabra):
        ticket = await api.create_session()

    [(method, path, headers, body)] = palabra.requests
    assert ticket == SessionTicket("s1", f"{SECRET}-token", "wss://rtc.example")
    assert (method, path) == ("POST", "/session-storage/session")
    assert (headers["clientid"], headers["clientsecret"]) == ("client", SECRET)
    assert body == {
        "data": {"intent": "api", "subscriber_count": 0, "publisher_can_subscribe": True}
    }


async def test_an_api_key_authorises_as_well() -> None:
    """The newer platform's key goes into the standard header, alone."""
    async with api_that_gets(200, {"data": []}, credentials=ApiKey(SECRET)) as (api, palabra):
        await api.list_sessions()

    [(_, _, headers, _)] = palabra.requests
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert "clientsecret" not in headers


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"ok": True, "data": {"sessions": [TICKET, TICKET]}}, 2),
        ({"ok": True, "data": [TICKET]}, 1),
        ({"ok": True, "data": {"sessions": None}}, 0),
        ({"ok": True, "data": None}, 0),
        ([TICKET], 1),
        ({}, 0),
    ],
)
async def test_sessions_are_counted(body: object, expected: int) -> None:
    """A list is found with its envelope or without."""
    async with api_that_gets(200, body) as (api, palabra):
        assert await api.list_sessions() == expected

    assert palabra.requests[0][:2] == ("GET", "/session-storage/sessions")


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_deleted_session_is_gone(status: int) -> None:
    """One that does not exist any more counts as deleted; its id cannot name another path."""
    async with api_that_gets(status, {"ok": status < 300}, raw="") as (api, palabra):
        await api.delete_session("a/../b?c")

    assert palabra.requests[0][:2] == ("DELETE", "/session-storage/sessions/a%2F..%2Fb%3Fc")


@pytest.mark.parametrize(
    ("status", "body", "sentence", "code", "retryable"),
    [
        (
            401,
            {"ok": False, "errors": [{"title": "Unauthorized", "detail": "Unknown client"}]},
            "Palabra refused: Unknown client (HTTP 401)",
            None,
            False,
        ),
        (
            403,
            {"errors": [{"title": "Forbidden", "detail": "No balance", "error_code": 100050}]},
            "Palabra refused: No balance (HTTP 403, error 100050)",
            100050,
            False,
        ),
        (404, {"errors": [{"title": "Gone"}]}, "Palabra refused: Gone (HTTP 404)", None, False),
        (422, {"detail": "bad"}, "Palabra refused: bad (HTTP 422)", None, False),
        (
            422,
            {"detail": [{"loc": ["body"], "message": "bad"}]},
            "Palabra refused: bad (HTTP 422)",
            None,
            False,
        ),
        (429, {"errors": ["slow"]}, "Palabra refused: slow (HTTP 429)", None, True),
        (500, {}, "Palabra refused: no reason given (HTTP 500)", None, True),
        (503, None, "Palabra refused: no reason given (HTTP 503)", None, True),
        (
            200,
            {"ok": False, "error": "nope"},
            "Palabra refused: nope (HTTP 400)",
            None,
            False,
        ),
        (302, {}, "Palabra refused: no reason given (HTTP 302)", None, False),
    ],
)
async def test_refusals_are_told_in_words(
    status: int, body: object, sentence: str, code: int | None, retryable: bool
) -> None:
    """The envelope's own words, the status and Palabra's number; some may be asked again."""
    async with api_that_gets(status, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.create_session()

    error = caught.value
    assert (str(error), error.error_code, error.retryable) == (sentence, code, retryable)


@pytest.mark.parametrize(
    "raw",
    ["<html>502</html>", "", "[1, 2", '"text"', '{"errors": []}', '{"errors": [null]}', "\x00"],
)
async def test_an_answer_that_is_no_json_is_a_refusal_too(raw: str) -> None:
    """A proxy's page or an odd envelope costs the reason, not the sentence."""
    async with api_that_gets(502, raw=raw) as (api, _):
        with pytest.raises(ApiError, match=r"Palabra refused: .* \(HTTP 502\)") as caught:
            await api.create_session()

    assert caught.value.retryable


@pytest.mark.parametrize("status", [401, 500])
async def test_a_refused_deletion_is_told(status: int) -> None:
    """Only a session that is gone already needs no deletion."""
    async with api_that_gets(status, {}) as (api, _):
        with pytest.raises(ApiError):
            await api.delete_session("s1")


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "s1",
        {},
        *({**TICKET, key: None} for key in ("id", "publisher", "webrtc_url")),
        *({**TICKET, "publisher": value} for value in ("", 5, ["token"])),
        {key: value for key, value in TICKET.items() if key != "publisher"},
    ],
)
async def test_a_session_without_its_parts_is_a_refusal(data: object) -> None:
    """A success that lacks the token, or anything else that is needed, is none."""
    async with api_that_gets(200, {"ok": True, "data": data}) as (api, _):
        with pytest.raises(ApiError, match="the answer lacks what a session needs"):
            await api.create_session()


@pytest.mark.parametrize(
    ("ticket", "deleted"),
    [
        ({**TICKET, "publisher": None}, ["s1"]),
        ({**TICKET, "webrtc_url": ""}, ["s1"]),
        ({**TICKET, "id": None}, []),
        ({**TICKET, "id": ""}, []),
        ({**TICKET, "id": 5}, []),
    ],
)
@pytest.mark.parametrize("deletion", [204, 500])
async def test_a_session_that_nobody_can_join_is_deleted(
    ticket: dict[str, object], deleted: list[str], deletion: int
) -> None:
    """Created is created, even where the answer is of no use; what it lacks is what is told."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            return web.Response(status=deletion)

        return web.json_response({"ok": True, "data": ticket})

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        with pytest.raises(ApiError, match="the answer lacks what a session needs"):
            await api.create_session()

    asked = [path for method, path, _, _ in palabra.requests if method == "DELETE"]
    assert asked == [f"/session-storage/sessions/{it}" for it in deleted]


async def test_what_is_not_used_may_be_left_out() -> None:
    """The address of the other transport is none of our business."""
    ticket = {key: TICKET[key] for key in ("id", "publisher", "webrtc_url")}
    async with api_that_gets(200, {"data": ticket}) as (api, palabra):
        assert (await api.create_session()).id == "s1"

    assert len(palabra.requests) == 1


async def test_a_long_reason_is_cut() -> None:
    """A page instead of a sentence does not fill the log or the room."""
    async with api_that_gets(400, {"errors": [{"detail": "x" * 10_000}]}) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.create_session()

    assert len(str(caught.value)) < 300


async def test_credentials_do_not_follow_a_redirect() -> None:
    """Another host is not told our secret, whatever the first one says."""

    async def welcome(_: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True, "data": TICKET})

    async with answering(welcome) as elsewhere:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": elsewhere.url})

        async with answering(redirect) as palabra, open_api(palabra.url, CLIENT) as api:
            with pytest.raises(ApiError, match="HTTP 307"):
                await api.create_session()

    assert elsewhere.requests == []


async def test_a_refused_connection_is_told() -> None:
    """Where nobody listens, the sentence names the host and the reason."""
    port = free_port()
    async with open_api(f"http://127.0.0.1:{port}/", CLIENT) as api:
        with pytest.raises(Unreachable) as caught:
            await api.list_sessions()

    assert str(caught.value).startswith(f"Palabra cannot be reached at 127.0.0.1:{port}: ")
    assert caught.value.retryable


async def test_a_connection_that_breaks_is_told() -> None:
    """A server that hangs up is one that cannot be reached."""

    async def hang_up(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with answering(hang_up) as palabra, open_api(palabra.url, CLIENT) as api:
        with pytest.raises(Unreachable, match="the connection was closed"):
            await api.create_session()


async def test_what_speaks_no_http_is_told() -> None:
    """Something else on that port is told as such, without what was sent."""

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example ready\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    async with server, open_api(f"http://{host}:{port}", CLIENT) as api:
        with pytest.raises(Unreachable) as caught:
            await api.list_sessions()

    assert caught.value.reason == "what answers there does not speak HTTP"


async def create(api: PalabraApi) -> None:
    """Create a session."""
    await api.create_session()


async def count(api: PalabraApi) -> None:
    """Count the sessions."""
    await api.list_sessions()


async def delete(api: PalabraApi) -> None:
    """Delete a session."""
    await api.delete_session("s1")


@pytest.mark.parametrize(("ask", "seconds"), [(create, 15), (count, 5), (delete, 5)])
def test_silence_has_an_end(ask: Callable[[PalabraApi], Awaitable[None]], seconds: int) -> None:
    """A server that never answers is given up after a while that the sentence names."""

    @in_jumping_time
    async def run() -> None:
        silent = asyncio.Event()

        async def never(_: web.Request) -> web.StreamResponse:
            await silent.wait()
            return web.Response()

        async with answering(never) as palabra, open_api(palabra.url, CLIENT) as api:
            with pytest.raises(Unreachable, match=f"no answer within {seconds} s"):
                await ask(api)
            silent.set()

    run()


@pytest.mark.parametrize("status", [0, 200, 302, 403, 500])
async def test_secrets_are_in_no_text(status: int) -> None:
    """Neither credentials nor token show in what is printed of them, or of any error."""
    texts = [repr(CLIENT), str(CLIENT), repr(ApiKey(SECRET))]
    texts.append(repr(SessionTicket("s1", f"{SECRET}-token", "wss://a")))
    async with api_that_gets(status or 200, {"ok": False}) as (api, palabra):
        url = palabra.url if status else f"http://127.0.0.1:{free_port()}"
        async with open_api(url, CLIENT) as other:
            for asked in (api, other):
                with pytest.raises(PalabraError) as caught:
                    await asked.create_session()
                texts += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]

    assert [text for text in texts if SECRET in text] == []
