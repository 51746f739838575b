"""Answers of the session API, in each shape that they may have: tickets, lists, refusals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from palabra_agent.errors import ApiError, ErrorClass
from palabra_agent.palabra.rest.api import SessionInfo, open_api
from palabra_agent.palabra.vocabulary import StreamType
from tests.odd_addresses import NO_ADDRESSES, OTHER_SCHEMES, PASSWORD

from .server import CLIENT, LISTED, SECRET, TICKET, api_that_gets, asked

pytestmark = pytest.mark.unit


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


async def test_a_list_that_is_no_json_is_told() -> None:
    """A page of something else is not an empty list."""
    async with api_that_gets(200, raw="<html>") as (api, _):
        with pytest.raises(ApiError, match="the answer is not JSON") as caught:
            await api.list_sessions()

    assert caught.value.error_class is ErrorClass.BAD_ANSWER


@pytest.mark.parametrize("body", [None, {}, {"data": []}, {"data": {"id": 5}}])
async def test_a_session_that_is_none_is_told(body: object) -> None:
    """A success that shows no session is none."""
    async with api_that_gets(200, body) as (api, _):
        with pytest.raises(ApiError, match="the answer shows no session"):
            await api.get_session("s1")


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
    """The rest of a session is read as far as the answer tells it."""
    more = {"subscriber": ["one", "", "two"], "webrtc_room_name": "room"}
    async with api_that_gets(201, {"data": {**TICKET, **more}}) as (api, _):
        ticket = await api.create_session()

    assert (ticket.listeners, ticket.room) == (("one", "two"), "room")


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
    """Its class tells what it means; an unknown client is answered that there is no session."""
    body = {"errors": [{"detail": "x", "error_code": code}]}
    async with api_that_gets(status, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.create_session()

    assert caught.value.error_class == expected


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


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "s1",
        {},
        *({**TICKET, key: None} for key in ("id", "publisher", "webrtc_url")),
        *({**TICKET, "publisher": value} for value in ("", 5, [], [""], [5])),
        *({**TICKET, "webrtc_url": value} for value in ("", 5, [5, 6])),
        {key: value for key, value in TICKET.items() if key != "publisher"},
    ],
)
async def test_a_session_without_its_parts_is_a_refusal(data: object) -> None:
    """A success that lacks the token, or anything else that is needed, is none."""
    async with api_that_gets(200, {"ok": True, "data": data}) as (api, _):
        with pytest.raises(ApiError, match="the answer lacks what a session needs"):
            await api.create_session()


@pytest.mark.parametrize("transport", ["webrtc", "ws"])
@pytest.mark.parametrize("url", [it for it in NO_ADDRESSES if it not in OTHER_SCHEMES])
async def test_an_address_that_cannot_be_asked_is_a_bad_answer(
    transport: StreamType, url: str
) -> None:
    """Its mistake is told, without a password that may be in it; the session is deleted."""
    key = "ws_url" if transport == "ws" else "webrtc_url"
    async with api_that_gets(201, {"data": {**TICKET, key: url}}) as (api, palabra):
        with pytest.raises(ApiError, match=r"the session's address (must|is) ") as caught:
            await api.create_session(transport)

    assert caught.value.error_class is ErrorClass.BAD_ANSWER
    assert PASSWORD not in str(caught.value) + repr(caught.value)
    assert asked(palabra, "DELETE") == ["/session-storage/sessions/s1"]


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("ws://stream.example", False),
        ("http://10.0.0.1/livekit/", False),
        ("ws://127.0.0.1:7880", True),
        ("http://localhost:7880", True),
        ("wss://stream.example", True),
    ],
)
async def test_a_plain_address_beyond_this_machine_must_be_allowed(
    url: str, is_allowed: bool
) -> None:
    """The token and the words would be read on the way; an operator may say that they are not."""
    async with api_that_gets(201, {"data": {**TICKET, "ws_url": url}}) as (api, palabra):
        if is_allowed:
            assert (await api.create_session("ws")).ws_url == url
        else:
            with pytest.raises(ApiError, match="the session's address must begin with "):
                await api.create_session("ws")

        async with open_api(palabra.url, CLIENT, allow_plain=True) as trusting:
            assert (await trusting.create_session("ws")).ws_url == url


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


async def test_a_reason_is_one_line() -> None:
    """Palabra's words stand in the room, the log and a terminal, and rule none of them."""
    body = {"errors": [{"detail": "no\nbalance\x1b[2J\u202e\x00"}]}
    async with api_that_gets(402, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.create_session()

    assert caught.value.detail == "no balance"


async def test_a_refusal_repeats_no_secret() -> None:
    """A secret, a token or the session's id that Palabra quotes is not passed on."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzIn0.c2ln"
    body = {"errors": [{"detail": f"{SECRET} {token} for session-123 is bad"}]}
    async with api_that_gets(400, body) as (api, _):
        with pytest.raises(ApiError) as caught:
            await api.get_session("session-123")

    assert caught.value.detail == "… … for … is bad"
