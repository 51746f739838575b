"""The session API, against a server that answers whatever a test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.errors import ApiError, ErrorClass, PalabraError, Unreachable
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.rest.api import (
    ApiKey,
    AppCredentials,
    Credentials,
    PalabraApi,
    SessionInfo,
    SessionTicket,
    open_api,
)
from palabra_agent.palabra.vocabulary import StreamType
from tests.clock import in_jumping_time

pytestmark = pytest.mark.unit

SECRET = "very-private"
CLIENT = AppCredentials("client", SECRET)
SOON = (0.0, 0.0)
"""The pauses before further tries, for tests that are not about them."""
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

    async with (
        answering(answer) as palabra,
        open_api(palabra.url, credentials, retry_pauses=SOON) as api,
    ):
        yield api, palabra


async def test_a_session_is_created() -> None:
    """The documented request gets a ticket with what is needed to join."""
    async with api_that_gets(201, {"ok": True, "data": TICKET}) as (api, palabra):
        ticket = await api.create_session()

    [(method, path, headers, body)] = palabra.requests
    assert ticket == SessionTicket("s1", f"{SECRET}-token", "wss://rtc.example", "wss://ws.example")
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


LISTED = {
    "id": "s1",
    "created_at": "2024-10-11T09:02:56Z",
    "updated_at": "no time",
    "expires_at": None,
}


@pytest.mark.parametrize(
    ("body", "ids", "token"),
    [
        ({"ok": True, "data": {"sessions": [LISTED, LISTED]}}, ["s1", "s1"], None),
        ({"ok": True, "data": [LISTED], "next_page_token": "more"}, ["s1"], "more"),
        ({"data": {"sessions": [LISTED], "next_page_token": "more"}}, ["s1"], "more"),
        ({"ok": True, "data": {"sessions": None}}, [], None),
        ({"ok": True, "data": None}, [], None),
        ({"sessions": [LISTED]}, ["s1"], None),
        ([LISTED, 5, {}, {"id": ""}], ["s1"], None),
        ({}, [], None),
    ],
)
async def test_sessions_are_listed(body: object, ids: list[str], token: str | None) -> None:
    """A list is found with its envelope or without, and says where it goes on."""
    async with api_that_gets(200, body) as (api, palabra):
        page = await api.list_sessions()

    created = datetime(2024, 10, 11, 9, 2, 56, tzinfo=UTC)
    assert page.sessions == tuple(SessionInfo(it, created_at=created) for it in ids)
    assert (len(page), page.next_page_token) == (len(ids), token)
    assert palabra.requests[0][:2] == ("GET", "/session-storage/sessions")


async def test_a_page_of_the_list_is_asked_for() -> None:
    """How many, and where to go on, are asked for where somebody says so."""
    async with api_that_gets(200, raw="") as (api, palabra):
        await api.list_sessions(page_size=2, page_token="a b&c")

    assert palabra.requests[0][1] == "/session-storage/sessions?page_size=2&page_token=a+b%26c"


async def test_a_list_that_is_no_json_is_told() -> None:
    """A page of something else is not an empty list."""
    async with api_that_gets(200, raw="<html>") as (api, _):
        with pytest.raises(ApiError, match="the answer is not JSON") as caught:
            await api.list_sessions()

    assert caught.value.error_class is ErrorClass.BAD_ANSWER


async def test_a_session_is_shown() -> None:
    """One session, by its id."""
    async with api_that_gets(200, {"data": LISTED}) as (api, palabra):
        shown = await api.get_session("s/1")

    assert shown.created_at == datetime(2024, 10, 11, 9, 2, 56, tzinfo=UTC)
    assert palabra.requests[0][:2] == ("GET", "/session-storage/sessions/s%2F1")


@pytest.mark.parametrize("body", [None, {}, {"data": []}, {"data": {"id": 5}}])
async def test_a_session_that_is_none_is_told(body: object) -> None:
    """A success that shows no session is none."""
    async with api_that_gets(200, body) as (api, _):
        with pytest.raises(ApiError, match="the answer shows no session"):
            await api.get_session("s1")


async def test_a_session_is_extended() -> None:
    """How long is said in both places that the documentation names, once."""
    async with api_that_gets(204, raw="") as (api, palabra):
        await api.extend_session("s1", ttl_seconds=600)

    [(method, path, _, body)] = palabra.requests
    assert (method, path) == ("POST", "/session-storage/sessions/s1?ttl_seconds=600")
    assert body == {"data": {"ttl_seconds": 600}}


@pytest.mark.parametrize(
    ("transport", "lacks"), [("webrtc", "ws_url"), ("ws", "webrtc_url"), ("ws", "subscriber")]
)
@pytest.mark.parametrize("broken", [None, "", "not a url", "http://", "//host", "wss://[", 5])
async def test_the_other_transports_address_may_be_missing(
    transport: StreamType, lacks: str, broken: object
) -> None:
    """A ticket needs the address of the transport that it is for, and no other."""
    async with api_that_gets(201, {"data": {**TICKET, lacks: broken}}) as (api, palabra):
        ticket = await api.create_session(transport)

    assert ticket.url_for(transport) == TICKET["ws_url" if transport == "ws" else "webrtc_url"]
    assert len(palabra.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"ok": True, "data": {**TICKET, "publisher": [f"{SECRET}-token"]}},
        {**TICKET, "publisher": ["", f"{SECRET}-token"]},
        TICKET,
    ],
)
async def test_older_answers_are_tickets_too(body: object) -> None:
    """Publishers in a list, and an answer without its envelope."""
    async with api_that_gets(200, body) as (api, _):
        assert (await api.create_session()).token == f"{SECRET}-token"


async def test_listeners_and_the_room_are_told() -> None:
    """What else a session has, as far as the answer tells it."""
    more = {"subscriber": ["one", "", "two"], "webrtc_room_name": "room"}
    async with api_that_gets(201, {"data": {**TICKET, **more}}) as (api, _):
        ticket = await api.create_session()

    assert (ticket.listeners, ticket.room) == (("one", "two"), "room")


@dataclass
class Script:
    """Answers to the requests of one method, the last of them for ever."""

    answers: dict[str, list[tuple[int, dict[str, str]]]]

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Give the next answer; status 0 hangs up."""
        answers = self.answers[request.method]
        status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:
            assert request.transport is not None
            request.transport.close()
            return web.Response()

        body = {"ok": status < 300, "data": TICKET, "errors": [{"detail": f"said {status}"}]}
        return web.json_response(body, status=status, headers=headers)


def asked(palabra: Palabra, method: str) -> list[str]:
    """The paths of all requests of one method."""
    return [path for it, path, _, _ in palabra.requests if it == method]


@pytest.mark.parametrize("failure", [0, 500, 502, 503, 504])
async def test_a_passing_failure_is_asked_again(failure: int) -> None:
    """Palabra's own failures and lost connections are tried three times in all."""
    script = Script({"POST": [(failure, {}), (failure, {}), (201, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT, retry_pauses=SOON) as it:
        assert (await it.create_session()).id == "s1"

    assert len(asked(palabra, "POST")) == 3


@pytest.mark.parametrize(
    ("status", "tries"), [(500, 3), (400, 1), (401, 1), (403, 1), (404, 1), (429, 1)]
)
async def test_asking_again_has_an_end(status: int, tries: int) -> None:
    """What cannot help is not tried, and what may help not for ever."""
    script = Script({"POST": [(status, {})], "GET": [(status, {})]})
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
        script = Script({"POST": [(status, headers)]})
        async with answering(script) as palabra, open_api(palabra.url, CLIENT) as api:
            started = loop.time()
            with pytest.raises(ApiError) as caught:
                await api.create_session()
            waited = loop.time() - started

        asked_for = headers.get("Retry-After", "")
        assert waited == pytest.approx(seconds, abs=0.3)
        assert caught.value.retry_after_seconds == (int(asked_for) if asked_for.isdigit() else None)

    run()


@pytest.mark.parametrize(
    ("status", "tries", "is_told"), [(0, 2, True), (500, 1, True), (404, 1, False), (204, 1, False)]
)
async def test_an_answer_to_a_deletion_is_final(status: int, tries: int, is_told: bool) -> None:
    """Only a lost connection is tried again, once."""
    script = Script({"DELETE": [(status, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT) as api:
        try:
            await api.delete_session("s1")
        except PalabraError:
            assert is_told
        else:
            assert not is_told

    assert len(asked(palabra, "DELETE")) == tries


@pytest.mark.parametrize("status", [403, 409, 429])
async def test_our_own_leftovers_make_room(status: int) -> None:
    """Where there are too many sessions, those that we failed to delete go, and nobody else's."""
    script = Script({"DELETE": [(500, {}), (204, {})], "POST": [(status, {}), (201, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT) as api:
        with pytest.raises(ApiError):
            await api.delete_session("left over")
        await api.delete_session("gone")
        assert (await api.create_session()).id == "s1"

    sessions = "/session-storage/sessions/"
    assert asked(palabra, "DELETE") == [f"{sessions}{it}" for it in ("left%20over", "gone")] + [
        f"{sessions}left%20over"
    ]
    assert len(asked(palabra, "POST")) == 2


async def test_where_no_room_is_made_nothing_is_asked_again() -> None:
    """A leftover that cannot be deleted now either makes no room."""
    script = Script({"DELETE": [(500, {})], "POST": [(403, {})]})
    async with answering(script) as palabra, open_api(palabra.url, CLIENT) as api:
        with pytest.raises(ApiError):
            await api.delete_session("left")
        with pytest.raises(ApiError, match="said 403"):
            await api.create_session()

    assert (len(asked(palabra, "DELETE")), len(asked(palabra, "POST"))) == (2, 1)


async def test_a_deletion_that_was_interrupted_is_made_up_for() -> None:
    """A deletion that we did not wait for may not have happened."""
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE" and not is_asked.is_set():
            is_asked.set()
            await may_answer.wait()
        if request.method == "POST" and len(asked(palabra, "POST")) == 1:
            return web.json_response({}, status=409)
        return web.json_response({"ok": True, "data": TICKET})

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        async with asyncio.TaskGroup() as group:
            deleting = group.create_task(api.delete_session("s1"))
            await is_asked.wait()
            deleting.cancel()
        may_answer.set()
        await api.create_session()

    assert len(asked(palabra, "DELETE")) == 2


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, None, "client"),
        (401, None, "credentials"),
        (402, None, "account"),
        (403, 100050, "account"),
        (400, 100050, "account"),
        (404, None, "credentials"),
        (408, None, "timeout"),
        (409, None, "client"),
        (418, None, "client"),
        (422, None, "client"),
        (429, None, "rate_limit"),
        (500, None, "server"),
        (504, None, "server"),
    ],
)
async def test_a_refusal_has_a_class(status: int, code: int | None, expected: str) -> None:
    """What a refusal means is known by its class; no session is the answer to unknown clients."""
    body = {"errors": [{"detail": "x", "error_code": code}]}
    async with api_that_gets(status, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.create_session()

    assert caught.value.error_class == expected


async def test_a_session_that_is_gone_is_not_found() -> None:
    """There the credentials are good."""
    async with api_that_gets(404, {}) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.get_session("s1")

    assert caught.value.error_class is ErrorClass.NOT_FOUND


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


async def test_a_refusal_repeats_no_secret() -> None:
    """What Palabra quotes of our secrets, a token or the session's id, is not passed on."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzIn0.c2ln"
    body = {"errors": [{"detail": f"{SECRET} {token} for session-123 is bad"}]}
    async with api_that_gets(400, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.get_session("session-123")

    assert caught.value.detail == "… … for … is bad"


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
        *({**TICKET, "publisher": value} for value in ("", 5, [], [""], [5])),
        *({**TICKET, "webrtc_url": value} for value in ("not a url", "http://", 5)),
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
        ({**TICKET, "webrtc_url": "not a url"}, ["s1"]),
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

    async with (
        answering(answer) as palabra,
        open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
    ):
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

        async with (
            answering(redirect) as palabra,
            open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
        ):
            with pytest.raises(ApiError, match="HTTP 307"):
                await api.create_session()

    assert elsewhere.requests == []


async def test_a_refused_connection_is_told() -> None:
    """Where nobody listens, the sentence names the host and the reason."""
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


@in_jumping_time
async def test_making_room_takes_no_longer_than_it_may() -> None:
    """However many sessions are left over, they are deleted side by side, for two seconds."""
    loop, creations = asyncio.get_running_loop(), list[float]()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            await asyncio.sleep(4 if request.path.endswith("/0") else 1)
            return web.Response(status=500 if len(creations) == 0 else 204)

        creations.append(loop.time())
        return web.json_response({"data": TICKET}, status=409 if len(creations) == 1 else 201)

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(fails(api.delete_session(str(number))))
        await api.create_session()

    assert creations[1] - creations[0] == pytest.approx(2, abs=0.2)


async def fails(request: Awaitable[object]) -> None:
    """Await something that is refused."""
    with pytest.raises(PalabraError):
        await request


async def test_no_room_is_made_where_money_is_missing() -> None:
    """An empty balance gets no better by deleting sessions."""

    async def answer(request: web.Request) -> web.StreamResponse:
        errors = [{"detail": "said", "error_code": 100050}]
        return web.json_response({"ok": False, "errors": errors}, status=403)

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        await fails(api.delete_session("left"))
        await fails(api.create_session())

    assert (len(asked(palabra, "DELETE")), len(asked(palabra, "POST"))) == (1, 1)
