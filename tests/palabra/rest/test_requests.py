"""Requests to the session API: authorised, bounded, sent again where that helps."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from palabra_agent.errors import ApiError, PalabraError, Unreachable
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.rest.api import (
    ApiKey,
    PalabraApi,
    SessionTicket,
    open_api,
)
from tests.clock import in_jumping_time

from .server import (
    CLIENT,
    LISTED,
    SECRET,
    SOON,
    TICKET,
    AnswersByMethod,
    answering,
    api_that_gets,
    asked,
)

pytestmark = pytest.mark.unit


async def create(api: PalabraApi) -> None:
    """Create a session."""
    await api.create_session()


async def count(api: PalabraApi) -> None:
    """Count the sessions."""
    await api.list_sessions()


async def delete(api: PalabraApi) -> None:
    """Delete a session."""
    await api.delete_session("s1")


async def test_an_api_key_authorises_as_well() -> None:
    """The newer platform's key goes into the standard header, alone."""
    async with api_that_gets(200, {"data": []}, credentials=ApiKey(SECRET)) as (api, palabra):
        await api.list_sessions()

    [(_, _, headers, _)] = palabra.requests
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert "clientsecret" not in headers


@pytest.mark.parametrize("failure", [0, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again(failure: int) -> None:
    """Palabra's own failures and lost connections are tried three times in all."""
    script = AnswersByMethod({"POST": [(failure, {}), (failure, {}), (201, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT, retry_pauses=SOON) as it:
        assert (await it.create_session()).id == "s1"

    assert len(asked(palabra, "POST")) == 3


@pytest.mark.parametrize(
    ("status", "tries"), [(500, 3), (400, 1), (401, 1), (403, 1), (404, 1), (429, 1)]
)
async def test_asking_again_has_an_end(status: int, tries: int) -> None:
    """A try that cannot help is not made, and one that may help not for ever."""
    script = AnswersByMethod({"POST": [(status, {})], "GET": [(status, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT, retry_pauses=SOON) as it:
        for ask in (it.create_session, it.list_sessions, lambda: it.get_session("s1")):
            with pytest.raises(PalabraError):
                await ask()

    assert (len(asked(palabra, "POST")), len(asked(palabra, "GET"))) == (tries, 2 * tries)


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {}, 1.5),
        (503, {"Retry-After": "7"}, 14.0),
        (429, {"Retry-After": "2"}, 4.0),
        (429, {"Retry-After": "60"}, 0.0),
        (503, {"Retry-After": "tomorrow"}, 1.5),
        (429, {"Retry-After": "-1"}, 0.0),
    ],
)
def test_we_wait_as_long_as_we_are_asked_to(
    status: int, headers: dict[str, str], seconds: float
) -> None:
    """Half a second and a second, or what `Retry-After` says; a long wait is the caller's."""

    @in_jumping_time
    async def run() -> None:
        loop = asyncio.get_running_loop()
        script = AnswersByMethod({"POST": [(status, headers)]})
        async with answering(script) as palabra, open_api(palabra.url, CLIENT) as api:
            started = loop.time()
            with pytest.raises(ApiError) as caught:
                await api.create_session()
            waited = loop.time() - started

        asked_for = headers.get("Retry-After", "")
        assert waited == pytest.approx(seconds, abs=0.3)
        assert caught.value.retry_after_seconds == (int(asked_for) if asked_for.isdigit() else None)

    run()


async def test_an_endless_answer_is_not_waited_for() -> None:
    """Some megabytes suffice to know that it is of no use."""

    async def answer(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        for _ in range(50):
            await stream.write(b" " * 100_000)
        await stream.write(json.dumps({"data": [LISTED]}).encode())
        return stream

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        assert len(await api.list_sessions()) == 0


async def test_credentials_do_not_follow_a_redirect() -> None:
    """Another host is not told our secret, whatever the first one says."""

    async def welcome(_: web.Request) -> web.StreamResponse:
        return web.json_response({"ok": True, "data": TICKET})

    async with answering(welcome) as elsewhere:

        async def redirect(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": elsewhere.url})

        async with (
            answering(redirect) as palabra,
            open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
        ):
            with pytest.raises(ApiError, match="HTTP 307"):
                await api.create_session()

    assert elsewhere.requests == []


async def test_a_refused_connection_is_told() -> None:
    """Where no server listens, the sentence names the host and the reason."""
    port = free_port()
    async with open_api(f"http://127.0.0.1:{port}/", CLIENT, retry_pauses=SOON) as api:
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

    async with (
        answering(hang_up) as palabra,
        open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
    ):
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
    async with server, open_api(f"http://{host}:{port}", CLIENT, retry_pauses=SOON) as api:
        with pytest.raises(Unreachable) as caught:
            await api.list_sessions()

    assert caught.value.reason == "what answers there does not speak HTTP"


@pytest.mark.parametrize(("ask", "seconds"), [(create, 15), (count, 5), (delete, 5)])
def test_silence_has_an_end(ask: Callable[[PalabraApi], Awaitable[None]], seconds: int) -> None:
    """A server that never answers is given up after a while that the sentence names."""

    @in_jumping_time
    async def run() -> None:
        silent = asyncio.Event()

        async def never(_: web.Request) -> web.StreamResponse:
            await silent.wait()
            return web.Response()

        async with (
            answering(never) as palabra,
            open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
        ):
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
        async with open_api(url, CLIENT, retry_pauses=SOON) as other:
            for asked in (api, other):
                with pytest.raises(PalabraError) as caught:
                    await asked.create_session()
                texts += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]

    assert [text for text in texts if SECRET in text] == []
