"""The REST API over HTTP, without a media server."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from palabra_emulator.transports.ports import ClientJoined, Packet
from tests.clock import eventually
from tests.palabra_emulator.callers import STORAGE, caller
from tests.palabra_emulator.client import CREDENTIALS, task
from tests.palabra_emulator.fakes import OPTIONS
from tests.palabra_emulator.watching import state_of, until_state
from tests.palabra_emulator.websocket_client import status_of

pytestmark = pytest.mark.unit


async def test_created_session_has_all_that_a_client_needs() -> None:
    """The answer holds an id, tokens, the room and both URLs, and the bot is in its room."""
    async with caller() as api:
        session = await api.create(subscriber_count=2, intent="api")
        transport = api.livekit.transports[0]

        room = session["webrtc_room_name"]
        assert re.fullmatch(r"[0-9a-f]{8}", room)
        assert re.fullmatch(r"[0-9a-f-]{36}\.[0-9a-f]{8}\.[0-9a-f]{8}", session["id"])
        assert session["publisher"] == f"{room}/{transport.names.client}/publish"
        assert len(session["subscriber"]) == 2
        assert all(token.endswith("/listen") for token in session["subscriber"])
        assert session["webrtc_url"] == f"{api.url}/livekit/"
        assert session["ws_url"] == (
            api.url.replace("http", "ws") + "/streaming-api/v1/speech-to-speech/stream"
        )
        assert session["intent"] == "api"
        assert transport.names.bot.startswith("palabra_translator_")
        assert api.livekit.rooms.open == {room}


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"subscriber_count": 0, "publisher_can_subscribe": True},
        {"publisher_count": 1, "subscriber_count": 10, "publisher_can_subscribe": True},
        {"aggregation_id": "x", "intent": "tts_api"},
    ],
)
async def test_every_generation_of_the_request_is_accepted(wishes: dict[str, object]) -> None:
    """Old fields and unknown ones do not hinder."""
    async with caller() as api:
        session = await api.create(**wishes)

        assert len(session["subscriber"]) == wishes.get("subscriber_count", 0)


async def test_first_generation_has_other_names() -> None:
    """The plural path answers with publishers in a list and the names of its time."""
    async with caller() as api:
        answer = await api.call("POST", f"{STORAGE}/sessions", {"data": {"subscriber_count": 1}})

        session = answer.body["data"]
        assert answer.status == 201
        assert isinstance(session["publisher"], list)
        assert set(session) >= {"room_name", "stream_url", "control_url"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b'"x"', 422),
        (b'{"data": []}', 422),
        (b'{"data": {"subscriber_count": 11}}', 422),
        (b'{"data": {"subscriber_count": "2"}}', 422),
        (b'{"data": {"intent": 5}}', 422),
        (None, 422),
    ],
)
async def test_malformed_requests_are_refused_in_an_envelope(
    body: bytes | None, status: int
) -> None:
    """The envelope's error has all six fields, and nothing was opened."""
    async with caller() as api:
        answer = await api.call("POST", f"{STORAGE}/session", body)

        error = answer.body["errors"][0]
        assert answer.status == error["status"] == status
        assert answer.body["ok"] is False
        assert set(error) == {"type", "title", "detail", "instance", "status", "error_code"}
        assert error["instance"] == f"{STORAGE}/session"
        assert api.livekit.rooms.open == set()


@pytest.mark.parametrize(
    ("headers", "is_welcome"),
    [
        ({"ClientId": "local", "ClientSecret": "local"}, True),
        ({"ClientID": "local", "clientsecret": "local"}, True),
        ({"Authorization": "Bearer local"}, True),
        ({}, False),
        ({"ClientId": "local", "ClientSecret": "wrong"}, False),
        ({"ClientId": "local"}, False),
        ({"Authorization": "Bearer wrong"}, False),
        ({"Authorization": "Bearer wrong", **CREDENTIALS}, False),
        ({"Authorization": "Basic local"}, False),
    ],
)
async def test_both_kinds_of_credentials(headers: dict[str, str], is_welcome: bool) -> None:
    """A pair or a key is right or wrong; a wrong key is not saved by a right pair."""
    async with caller() as api:
        answer = await api.call("GET", f"{STORAGE}/sessions", headers=headers)

        assert (answer.status == 200) is is_welcome
        if not is_welcome:
            error = answer.body["errors"][0]
            assert answer.status == 401
            assert error["detail"] == ("Unauthorized access is denied due to invalid credentials.")


async def test_older_status_of_wrong_credentials() -> None:
    """As a switch, wrong credentials are not found."""
    async with caller(replace(OPTIONS, cred_error_status=404)) as api:
        assert (await api.call("GET", f"{STORAGE}/sessions", headers={})).status == 404


async def test_sessions_are_listed_shown_extended_and_deleted() -> None:
    """A session is found by its id until it is deleted; timestamps are whole seconds in UTC."""
    async with caller() as api:
        empty = await api.call("GET", f"{STORAGE}/sessions")
        session_id = (await api.create())["id"]
        path = f"{STORAGE}/sessions/{quote(session_id)}"
        listed = await api.call("GET", f"{STORAGE}/sessions")
        before = await api.call("GET", path)
        by_query = await api.call("POST", f"{path}?ttl_seconds=86400")
        after = await api.call("GET", path)
        by_body = await api.call("POST", path, {"data": {"ttl_seconds": 60}})
        wrong = await api.call("POST", f"{path}?ttl_seconds=soon")
        deleted = await api.call("DELETE", path)

        assert empty.body == {"ok": True, "data": {"sessions": None}}
        assert listed.body["data"]["sessions"] == [before.body["data"]]
        assert set(before.body["data"]) == {"id", "created_at", "updated_at", "expires_at"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", before.body["data"]["created_at"])
        assert after.body["data"]["expires_at"] > before.body["data"]["expires_at"]
        assert [by_query.status, by_body.status, wrong.status] == [204, 204, 422]
        assert (deleted.status, deleted.body) == (204, "")
        for method in ("GET", "POST", "DELETE"):
            assert (await api.call(method, path)).status == 404
        assert (await state_of(api.url, session_id)) == "deleted"
        await eventually(lambda: api.livekit.rooms.open == set(), "the room to close")
        assert api.livekit.transports[0].is_closed


async def test_list_has_pages() -> None:
    """A page's token leads to the next one; the last has none."""
    async with caller() as api:
        ids = [(await api.create())["id"] for _ in range(3)]
        first = (await api.call("GET", f"{STORAGE}/sessions?page_size=2")).body["data"]
        token = first["next_page_token"]
        second = (await api.call("GET", f"{STORAGE}/sessions?page_size=2&page_token={token}")).body[
            "data"
        ]

        assert [s["id"] for s in first["sessions"] + second["sessions"]] == ids
        assert "next_page_token" not in second


async def test_browsers_are_welcome() -> None:
    """Every answer allows any origin, errors and unknown paths too, and so does the preflight."""
    async with caller() as api:
        preflight = await api.call("OPTIONS", f"{STORAGE}/sessions/x", headers={})
        answers = [
            preflight,
            await api.call("GET", f"{STORAGE}/sessions"),
            await api.call("GET", f"{STORAGE}/sessions", headers={}),
            await api.call("POST", f"{STORAGE}/session", b"{"),
            await api.call("GET", f"{STORAGE}/nothing"),
            await api.call("PUT", f"{STORAGE}/sessions"),
        ]

        assert [answer.status for answer in answers] == [204, 200, 401, 400, 404, 405]
        assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"*"}
        assert set(preflight.headers["Access-Control-Allow-Headers"].split(", ")) == {
            "authorization",
            "clientid",
            "clientsecret",
            "content-type",
        }
        assert set(preflight.headers["Access-Control-Allow-Methods"].split(", ")) >= {
            "POST",
            "DELETE",
        }


async def test_absent_media_server_is_said() -> None:
    """Without LiveKit a session is refused with 503 and a sentence; nothing is left listed."""
    async with caller() as api:
        api.livekit.rooms.refusal = "The LiveKit server at ws://x cannot be reached"
        answer = await api.call("POST", f"{STORAGE}/session", {"data": {}})
        listed = await api.call("GET", f"{STORAGE}/sessions")
        api.livekit.rooms.refusal = None

        assert answer.status == 503
        assert answer.body["errors"][0]["detail"] == (
            "The LiveKit server at ws://x cannot be reached."
        )
        assert listed.body["data"]["sessions"] is None
        assert (await api.create())["id"]


async def test_broken_bot_ends_its_own_session_only() -> None:
    """A transport that breaks ends its session; the other one goes on."""
    async with caller() as api:
        broken, whole = (await api.create())["id"], (await api.create())["id"]
        api.livekit.transports[0].lose()
        await until_state(api.url, broken, "ended")
        assert await state_of(api.url, whole) == "created"


async def test_session_over_a_transport() -> None:
    """Commands that arrive are obeyed: a task offers tracks, and the end puts the client out."""
    async with caller(replace(OPTIONS, ready_delay_ms=0)) as api:
        session_id = (await api.create())["id"]
        transport = api.livekit.transports[0]
        transport.events.put_nowait(ClientJoined())
        command = {"message_type": "set_task", "data": task("en", "es", "de")}
        transport.events.put_nowait(Packet(json.dumps(command).encode()))
        await eventually(lambda: transport.offered == [("es", "de")], "the tracks")
        await until_state(api.url, session_id, "running")
        end = {"message_type": "end_task", "data": {}}
        transport.events.put_nowait(Packet(json.dumps(end).encode(), is_reliable=False))
        await eventually(lambda: transport.is_closed, "the end")

        assert transport.is_expelled
        assert transport.sent[-1] == {"message_type": "end_of_stream", "data": {}}
        assert await state_of(api.url, session_id) == "ended"
        assert (await api.call("GET", f"{STORAGE}/sessions/{session_id}")).status == 200


async def test_answer_can_be_slow() -> None:
    """As a switch, a session takes its time."""
    async with caller(replace(OPTIONS, rest_delay_ms=200)) as api:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await api.create()

        assert loop.time() - began >= 0.2


@pytest.mark.parametrize(
    "header",
    [
        b"ClientId: \xff\r\nClientSecret: local",
        b"Authorization: Bearer \xff",
    ],
)
async def test_credentials_that_are_no_text_are_wrong(header: bytes) -> None:
    """Bytes that are no text are wrong credentials, in the REST API and on the stream."""
    async with caller() as api:
        await api.create()

        assert await status_of(api.url, f"{STORAGE}/sessions", header) == 401
        if header.startswith(b"Auth"):
            upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            path = "/streaming-api/v1/speech-to-speech/stream"
            assert await status_of(api.url, path, upgrade + header) == 403


@pytest.mark.parametrize("ttl", ["99999999999999", "9" * 5_000, "2592001"])
async def test_session_cannot_be_extended_beyond_reason(ttl: str) -> None:
    """Thirty days are the most, and the list of sessions stays what it is."""
    async with caller() as api:
        session = await api.create()
        path = f"{STORAGE}/sessions/{session['id']}?ttl_seconds={ttl}"

        assert (await api.call("POST", path)).status == 422
        assert (await api.call("GET", f"{STORAGE}/sessions")).status == 200


@pytest.mark.parametrize("name", ["page_size", "page_token"])
async def test_pages_are_of_a_size(name: str) -> None:
    """Thousands of digits are refused like any other mistake."""
    async with caller() as api:
        answer = await api.call("GET", f"{STORAGE}/sessions?{name}={'9' * 5_000}")

        assert answer.status == 422


async def test_sessions_have_a_number() -> None:
    """Beyond the most at once, creating is refused as Palabra does it; ended ones do not count."""
    async with caller(replace(OPTIONS, most_sessions=2)) as api:
        first = await api.create()
        await api.create()
        answer = await api.call("POST", f"{STORAGE}/session", {"data": {}})
        assert (answer.status, answer.body["ok"]) == (403, False)
        assert "parallel sessions" in answer.body["errors"][0]["detail"]

        await api.call("DELETE", f"{STORAGE}/sessions/{first['id']}")
        await api.create()
