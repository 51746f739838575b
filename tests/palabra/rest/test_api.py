"""The session API: create, list, show, extend and delete sessions, and make room for new ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime

import pytest
from aiohttp import web

from palabra_agent.errors import ApiError, ConfigError, ErrorClass, PalabraError
from palabra_agent.palabra.rest.api import (
    ApiKey,
    AppCredentials,
    Credentials,
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


async def delete(api: PalabraApi) -> None:
    """Delete a session."""
    await api.delete_session("s1")


async def fails(request: Awaitable[object]) -> None:
    """Await something that is refused."""
    with pytest.raises(PalabraError):
        await request


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


async def test_a_page_of_the_list_is_asked_for() -> None:
    """The size of a page, and its begin, are asked for where the caller names them."""
    async with api_that_gets(200, raw="") as (api, palabra):
        await api.list_sessions(page_size=2, page_token="a b&c")

    assert palabra.requests[0][1] == "/session-storage/sessions?page_size=2&page_token=a+b%26c"


async def test_a_session_is_shown() -> None:
    """One session, by its id."""
    async with api_that_gets(200, {"data": LISTED}) as (api, palabra):
        shown = await api.get_session("s/1")

    assert shown.created_at == datetime(2024, 10, 11, 9, 2, 56, tzinfo=UTC)
    assert palabra.requests[0][:2] == ("GET", "/session-storage/sessions/s%2F1")


async def test_a_session_is_extended() -> None:
    """The time is said in both places that the documentation names, once."""
    async with api_that_gets(204, raw="") as (api, palabra):
        await api.extend_session("s1", ttl_seconds=600)

    [(method, path, _, body)] = palabra.requests
    assert (method, path) == ("POST", "/session-storage/sessions/s1?ttl_seconds=600")
    assert body == {"data": {"ttl_seconds": 600}}


@pytest.mark.parametrize(
    ("status", "tries", "is_told"), [(0, 2, True), (500, 1, True), (404, 1, False), (204, 1, False)]
)
async def test_an_answer_to_a_deletion_is_final(status: int, tries: int, is_told: bool) -> None:
    """Only a lost connection is tried again, once."""
    script = AnswersByMethod({"DELETE": [(status, {})]})
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
    """Where there are too many sessions, those that we failed to delete go, and no others."""
    script = AnswersByMethod({"DELETE": [(500, {}), (204, {})], "POST": [(status, {}), (201, {})]})
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
    script = AnswersByMethod({"DELETE": [(500, {})], "POST": [(403, {})]})
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


async def test_a_session_that_is_gone_is_not_found() -> None:
    """There the credentials are good."""
    async with api_that_gets(404, {}) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.get_session("s1")

    assert caught.value.error_class is ErrorClass.NOT_FOUND


@pytest.mark.parametrize("status", [200, 204, 404])
async def test_a_deleted_session_is_gone(status: int) -> None:
    """One that does not exist any more counts as deleted; its id cannot name another path."""
    async with api_that_gets(status, {"ok": status < 300}, raw="") as (api, palabra):
        await api.delete_session("a/../b?c")

    assert palabra.requests[0][:2] == ("DELETE", "/session-storage/sessions/a%2F..%2Fb%3Fc")


@pytest.mark.parametrize("status", [401, 500])
async def test_a_refused_deletion_is_told(status: int) -> None:
    """Only a session that is gone already needs no deletion."""
    async with api_that_gets(status, {}) as (api, _):
        with pytest.raises(ApiError):
            await api.delete_session("s1")


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

    async with (
        answering(answer) as palabra,
        open_api(palabra.url, CLIENT, retry_pauses=SOON) as api,
    ):
        with pytest.raises(ApiError, match="the answer lacks what a session needs"):
            await api.create_session()

    asked = [path for method, path, _, _ in palabra.requests if method == "DELETE"]
    assert asked == [f"/session-storage/sessions/{it}" for it in deleted]


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


async def test_no_room_is_made_where_money_is_missing() -> None:
    """An empty balance gets no better by deleting sessions."""

    async def answer(request: web.Request) -> web.StreamResponse:
        errors = [{"detail": "said", "error_code": 100050}]
        return web.json_response({"ok": False, "errors": errors}, status=403)

    async with answering(answer) as palabra, open_api(palabra.url, CLIENT) as api:
        await fails(api.delete_session("left"))
        await fails(api.create_session())

    assert (len(asked(palabra, "DELETE")), len(asked(palabra, "POST"))) == (1, 1)


@pytest.mark.parametrize(
    ("url", "credentials", "sentence"),
    [
        ("api.palabra.ai", ApiKey("k"), "must be an address that begins with https://, http://"),
        ("wss://x", ApiKey("k"), "must be an address that begins with https://, http://"),
        ("https://", ApiKey("k"), "must name a host"),
        ("", ApiKey("k"), "must be an address"),
        ("https://me:secret@x", ApiKey("k"), "must not hold a user or a password"),
        ("http://x", ApiKey("k"), "Palabra's address must begin with https://"),
        ("https://x", ApiKey("k\n"), "credentials must hold no line break"),
        ("https://x", AppCredentials("a\r", "b"), "credentials must hold no line break"),
        ("https://x", AppCredentials("a", "b\0"), "credentials must hold no line break"),
    ],
)
async def test_what_no_request_can_be_made_of_is_said(
    url: str, credentials: Credentials, sentence: str
) -> None:
    """In a sentence, without the secret."""
    with pytest.raises(ConfigError) as caught:
        async with open_api(url, credentials):
            pass

    assert sentence in str(caught.value)
