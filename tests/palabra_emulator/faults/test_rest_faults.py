"""Faults over HTTP, without a media server: the desk, the REST API, and the way to a client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_emulator.api.livekit_proxy import LiveKitProxy
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.faults.reading import read_fault
from palabra_emulator.faults.signalling import SignallingFaults
from palabra_emulator.journal import Journal
from palabra_emulator.transports.ports import ClientJoined, Packet
from tests.clock import eventually
from tests.palabra_emulator.api.test_livekit_proxy import Upstream, token
from tests.palabra_emulator.callers import STORAGE, Caller, caller
from tests.palabra_emulator.client import task
from tests.palabra_emulator.fakes import OPTIONS, FakeTransport
from tests.palabra_emulator.watching import FAULTS_PATH, arm, state_of, struck

pytestmark = pytest.mark.unit


async def run_task(api: Caller, session: dict[str, Any]) -> FakeTransport:
    """Join a session and have its task run."""
    transport = api.livekit.transports[-1]
    command = {"message_type": "set_task", "data": task("en", "es-mx", "de")}
    transport.events.put_nowait(ClientJoined())
    transport.events.put_nowait(Packet(json.dumps(command).encode()))
    await eventually(lambda: bool(transport.offered), "tracks")
    return transport


@asynccontextmanager
async def running(**wish: object) -> AsyncGenerator[tuple[Caller, dict[str, Any], FakeTransport]]:
    """Have a running session; a fault may be armed before it is made."""
    async with caller(replace(OPTIONS, ready_delay_ms=0, queue_map_hz=20.0)) as api:
        if wish:
            await arm(api.url, **wish)
        session = await api.create()
        transport = await run_task(api, session)
        await eventually(lambda: any("message_type" in it for it in transport.sent), "an answer")
        yield api, session, transport


async def test_catalogue_is_shown() -> None:
    """Every fault with a sentence and its parameters, what all have, and what is armed."""
    async with caller() as api:
        await arm(api.url, fault="F8", variant="late", delay_ms=10, session=3)
        shown = (await api.call("GET", FAULTS_PATH)).body

        assert [it["fault"] for it in shown["faults"]] == [f"F{n}" for n in range(1, 28)]
        assert shown["faults"][7]["parameters"]["delay_ms"] == {
            "meaning": "how late",
            "default": 3000,
            "allowed": "a whole number from 0 to 600000",
        }
        assert [*shown["for_all"]] == ["times", "at_seconds", "after_seconds", "every_seconds"]
        (armed,) = shown["armed"]
        assert armed["id"] == "1"
        assert armed["session"] == 3
        assert armed["variant"] == "late"


async def test_armed_faults_are_withdrawn() -> None:
    """One by its id, or all; what is not there is said."""
    async with caller() as api:
        answers = [await arm(api.url, fault="F2") for _ in range(3)]
        assert [it["id"] for it in answers] == ["1", "2", "3"]

        assert (await api.call("DELETE", f"{FAULTS_PATH}/2")).status == 204
        unknown = await api.call("DELETE", f"{FAULTS_PATH}/2")
        assert (unknown.status, unknown.body["error"]) == (
            404,
            'No fault is armed under the id "2".',
        )
        assert (await api.call("DELETE", FAULTS_PATH)).body == {"withdrawn": 2}
        assert (await api.call("GET", FAULTS_PATH)).body["armed"] == []
        await api.create()


async def test_wrong_wishes_are_refused_at_once() -> None:
    """422, one sentence for each mistake, and nothing is armed."""
    async with caller() as api:
        answer = await api.call(
            "POST", FAULTS_PATH, {"fault": "F8", "variant": "leave", "times": "x"}
        )
        assert answer.status == 422
        assert [it["field"] for it in answer.body["problems"]] == ["times", "variant"]
        assert answer.body["error"].count("; ") >= 1
        assert (await api.call("POST", FAULTS_PATH, b"{")).body == {
            "error": "The body is not valid JSON."
        }
        assert (await api.call("GET", FAULTS_PATH)).body["armed"] == []


@pytest.mark.parametrize(
    ("wish", "status", "detail", "code"),
    [
        ({"fault": "F1"}, 401, "Unauthorized access is denied due to invalid credentials.", 100401),
        ({"fault": "F1", "status": 404}, 404, "Unauthorized access is denied", 100404),
        ({"fault": "F2"}, 403, "Insufficient balance", 100050),
        ({"fault": "F3"}, 403, "Too many parallel sessions", 100403),
        ({"fault": "F3", "status": 409, "detail": "No", "error_code": 7}, 409, "No", 7),
        ({"fault": "F4"}, 422, "The request body is not valid.", 100422),
        ({"fault": "F4", "status": 400}, 400, "The request body is not valid.", 100400),
        ({"fault": "F5"}, 500, "Internal server error", 100500),
        ({"fault": "F5", "variant": 502}, 502, "Bad gateway", 100502),
        ({"fault": "F5", "variant": 503}, 503, "Service unavailable", 100503),
        ({"fault": "F5", "variant": 504}, 504, "Gateway timeout", 100504),
        ({"fault": "F5", "variant": 402}, 402, "Insufficient funds", 100402),
        ({"fault": "F5", "variant": 429, "retry_after": 7}, 429, "Too many requests", 100429),
    ],
)
async def test_creating_is_refused(
    wish: dict[str, Any], status: int, detail: str, code: int
) -> None:
    """F1 to F5: the status in its envelope, once; then sessions can be created again."""
    async with caller() as api:
        await arm(api.url, **wish)
        answer = await api.call("POST", f"{STORAGE}/session", {"data": {}})

        assert answer.status == status
        assert answer.headers.get("Retry-After") == ("7" if "retry_after" in wish else None)
        (error,) = answer.body["errors"]
        assert {*error} == {"type", "title", "detail", "instance", "status", "error_code"}
        assert error["detail"].startswith(detail)
        assert (error["status"], error["error_code"]) == (status, code)
        await api.create()


async def test_balance_is_refused_to_the_letter() -> None:
    """F2: the envelope that was seen on the live service."""
    async with caller() as api:
        await arm(api.url, fault="F2")
        assert (await api.call("POST", f"{STORAGE}/session", {"data": {}})).body == {
            "ok": False,
            "errors": [
                {
                    "type": "https://docs.palabra.ai/docs/error_codes#forbiddenresource",
                    "title": "Forbidden resource",
                    "detail": "Insufficient balance",
                    "instance": "/session-storage/session",
                    "status": 403,
                    "error_code": 100050,
                }
            ],
        }


async def test_answer_may_be_nonsense() -> None:
    """F5: HTML, no publisher, or not ok, each with the right status."""
    async with caller() as api:
        for variant in ("non_json", "no_publisher", "ok_false"):
            await arm(api.url, fault="F5", variant=variant)
        path = f"{STORAGE}/session"
        html, tokenless, failed = [await api.call("POST", path, {"data": {}}) for _ in range(3)]

        assert [it.status for it in (html, tokenless, failed)] == [201] * 3
        assert html.body.startswith("<html>")
        assert "publisher" not in tokenless.body["data"]
        assert tokenless.body["data"]["id"]
        assert failed.body == {"ok": False, "error": "Internal error"}


async def test_answer_may_be_slow_or_never_come() -> None:
    """F5: late and right, or the connection is dropped, at once or after a while."""
    async with caller() as api:
        await arm(api.url, fault="F5", variant="slow", delay_ms=200)
        began = time.monotonic()
        await api.create()
        assert time.monotonic() - began >= 0.2

        for variant in ("dropped", "timeout"):
            await arm(api.url, fault="F5", variant=variant, delay_ms=50)
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await api.call("POST", f"{STORAGE}/session", {"data": {}})


async def test_other_requests_may_fail_too() -> None:
    """F5 strikes the request that is named; others are answered as ever."""
    async with caller() as api:
        await arm(api.url, fault="F5", variant=503, request="list")
        session = await api.create()

        assert (await api.call("GET", f"{STORAGE}/sessions/{session['id']}")).status == 200
        assert (await api.call("GET", f"{STORAGE}/sessions")).status == 503
        assert (await api.call("GET", f"{STORAGE}/sessions")).status == 200


@pytest.mark.parametrize("variant", ["404", "500", "503", "504"])
async def test_deleting_may_fail(variant: str) -> None:
    """F25: the status in its envelope; the session stays until it is deleted again."""
    async with caller() as api:
        await arm(api.url, fault="F25", variant=variant, session=1)
        first, second = await api.create(), await api.create()

        assert (await api.call("DELETE", f"{STORAGE}/sessions/{first['id']}")).status == 204
        failed = await api.call("DELETE", f"{STORAGE}/sessions/{second['id']}")
        assert failed.status == int(variant)
        assert await state_of(api.url, second["id"]) == "created"
        assert (await api.call("DELETE", f"{STORAGE}/sessions/{second['id']}")).status == 204


@pytest.mark.parametrize("status", [404, 401])
async def test_session_may_expire_before_it_is_joined(status: int) -> None:
    """F7: created as ever, then unknown to GET and to whoever joins."""
    async with caller() as api:
        await arm(api.url, fault="F7", status=status)
        session = await api.create()
        assert (await api.call("GET", f"{STORAGE}/sessions/{session['id']}")).status == 404

        path = f"/livekit//rtc?access_token={token(session['webrtc_room_name'])}"
        assert (await api.call("GET", path)).status == status


async def test_journal_tells_what_was_armed_and_what_struck() -> None:
    """A `fault` event each, and the REST call with the status that the client saw."""
    async with caller() as api:
        await arm(api.url, fault="F5", variant=503)
        await api.call("POST", f"{STORAGE}/session", {"data": {}})
        text = (await api.call("GET", "/emulator/journal")).body
        entries = [json.loads(line) for line in text.splitlines()]

        assert [(it["event"], it["data"].get("action")) for it in entries] == [
            ("fault", "armed"),
            ("fault", "struck"),
            ("rest", None),
        ]
        assert entries[1]["data"] == {
            "armed": "1",
            "action": "struck",
            "fault": "F5",
            "variant": "503",
            "request": "create",
        }
        assert entries[2]["data"]["status"] == 503


async def test_scenario_is_armed_from_the_start() -> None:
    """What the options hold strikes without any request."""
    order = read_fault({"fault": "F2"})
    async with caller(replace(OPTIONS, scenario=(order,))) as api:
        answer = await api.call("POST", f"{STORAGE}/session", {"data": {}})
        assert answer.status == 403


async def test_token_may_be_refused() -> None:
    """F6: 401 on both signalling paths, for that session as long as it lives."""
    async with caller() as api:
        await arm(api.url, fault="F6")
        first, second = await api.create(), await api.create()
        paths = [
            f"/livekit{path}?access_token={token(session['webrtc_room_name'])}"
            for session in (first, second)
            for path in ("//rtc", "/rtc/validate", "//rtc")
        ]
        answers = [await api.call("GET", path) for path in paths]

        # there is no LiveKit behind: whoever is let in finds that
        assert [it.status for it in answers] == [401] * 3 + [502] * 3
        assert answers[1].body == "invalid token: token is expired (exp)\n"


async def test_bot_may_never_come_or_come_late() -> None:
    """F8 and F26: no transport at all, or only after a while, with the tracks of the task."""
    async with caller(replace(OPTIONS, ready_delay_ms=0)) as api:
        await arm(api.url, fault="F8")
        await arm(api.url, fault="F26", variant="no_bot")
        for _ in range(2):
            await api.create()
        assert api.livekit.transports == []

        await arm(api.url, fault="F8", variant="late", delay_ms=1_000)
        session = await api.create()
        assert api.livekit.transports == []
        await eventually(lambda: bool(api.livekit.transports), "the bot")
        transport = await run_task(api, session)
        assert transport.offered[-1] == ("es-mx", "de")


async def test_delay_of_every_bot_is_an_option() -> None:
    """`bot_delay_ms` has every bot come late."""
    async with caller(replace(OPTIONS, bot_delay_ms=1_000)) as api:
        await api.create()
        assert api.livekit.transports == []
        await eventually(lambda: bool(api.livekit.transports), "the bot")


async def test_bot_may_leave() -> None:
    """F8: it is sent away, nothing more is said, and the session outlives it."""
    async with running() as (api, session, transport):
        await arm(api.url, fault="F8", variant="leaves")
        place = transport.names
        await eventually(lambda: api.livekit.rooms.expelled != [], "the bot's leaving")
        assert api.livekit.rooms.expelled == [f"{place.room}/{place.bot}"]
        transport.lose()
        count = len(transport.sent)
        await asyncio.sleep(0.2)
        assert len(transport.sent) == count
        assert await state_of(api.url, session["id"]) == "running"


@pytest.mark.parametrize(
    ("wish", "offered"),
    [
        ({"fault": "F21", "variant": "never"}, ()),
        ({"fault": "F26", "variant": "no_track"}, ()),
        ({"fault": "F21", "variant": "wrong_case"}, ("ES-MX", "DE")),
        ({"fault": "F21", "variant": "base_code"}, ("es", "de")),
    ],
)
async def test_tracks_may_be_others(wish: dict[str, Any], offered: tuple[str, ...]) -> None:
    """F21 and F26: no tracks, or tracks under other names, on which the speech comes."""
    async with running(**wish) as (_, _, transport):
        command = {
            "message_type": "tts_task",
            "data": {"text": "Hola", "language": "es-mx", "translate_text": False},
        }
        transport.events.put_nowait(Packet(json.dumps(command).encode()))
        await eventually(
            lambda: any(
                it.get("message_type") == "translated_transcription" for it in transport.sent
            ),
            "the text",
        )

        assert transport.offered == [offered]
        if offered:
            await eventually(lambda: bool(transport.played), "speech")
            assert [*transport.played] == [offered[0]]


async def test_tracks_may_be_published_again() -> None:
    """F21: all are offered anew under the same names, once."""
    async with running() as (api, _, transport):
        await arm(api.url, fault="F21")
        await eventually(lambda: len(transport.offered) == 2, "new tracks")
        assert transport.offered == [("es-mx", "de")] * 2
        assert transport.anew == [False, True]


async def test_session_may_fall_silent() -> None:
    """F26: nothing is sent any more, not even an answer or a queue map."""
    async with running() as (api, session, transport):
        await arm(api.url, fault="F26")
        await struck(api.url)
        await asyncio.sleep(0.1)
        count = len(transport.sent)
        transport.events.put_nowait(Packet(b'{"message_type": "get_task", "data": {}}'))
        await asyncio.sleep(0.2)

        assert len(transport.sent) == count
        assert await state_of(api.url, session["id"]) == "running"


async def test_network_may_be_gone_for_a_moment() -> None:
    """F18: what is said on either side is lost, then all is as before."""
    async with running() as (api, session, transport):
        await arm(api.url, fault="F18", delay_ms=300)
        await asyncio.sleep(0.15)
        count = len(transport.sent)
        transport.events.put_nowait(Packet(b'{"message_type": "pause_task", "data": {}}'))
        await asyncio.sleep(0.05)

        assert len(transport.sent) == count
        await eventually(lambda: len(transport.sent) > count, "the next message")
        assert await state_of(api.url, session["id"]) == "running"


@pytest.mark.parametrize(
    ("variant", "is_expelled"), [("removed", True), ("room_deleted", False), ("signal_drop", False)]
)
async def test_room_may_be_closed(variant: str, is_expelled: bool) -> None:
    """F17: the client is put out, or finds its room gone."""
    async with running() as (api, session, transport):
        await arm(api.url, fault="F17", variant=variant)
        await eventually(lambda: transport.is_closed, "the end")

        assert transport.is_expelled is is_expelled
        assert await state_of(api.url, session["id"]) == "ended"
        await eventually(lambda: transport.names.room not in api.livekit.rooms.open, "no room")


@dataclass(slots=True)
class Wire:
    """A proxy in whose way faults stand."""

    faults: SessionFaults
    signalling: SignallingFaults
    client: aiohttp.ClientSession


@asynccontextmanager
async def wired() -> AsyncGenerator[Wire]:
    """Have a client of a proxy, and a session in the room `open`."""
    behind = web.Application()
    behind.router.add_route("*", "/{tail:.*}", Upstream().answer)
    injector = FaultInjector(Journal())
    faults = SessionFaults("a", 0, injector)
    signalling = SignallingFaults(injector, lambda room: faults if room == "open" else None)
    async with TestServer(behind) as livekit, aiohttp.ClientSession() as http:
        front = web.Application()
        url = str(livekit.make_url(""))
        LiveKitProxy(url, lambda _room: True, http, signalling).add_to(front)
        async with TestServer(front) as proxy, aiohttp.ClientSession(proxy.make_url("/")) as client:
            yield Wire(faults, signalling, client)


async def test_signalling_may_be_cut() -> None:
    """F18: the socket breaks without a closing frame, and to open it takes a while."""
    async with wired() as wire:
        path = f"/livekit/rtc?access_token={token('open')}"
        async with wire.client.ws_connect(path) as socket:
            await socket.send_str("hello")
            assert (await socket.receive_str()) == "HELLO"
            wire.faults.cut(0.3)
            wire.signalling.cut("open")
            assert (await socket.receive()).type in {
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            }
            assert socket.close_code == 1006

        async with wire.client.ws_connect(path) as socket:
            assert not wire.faults.is_cut
            await socket.send_str("hello")
            assert (await socket.receive_str()) == "HELLO"


async def test_shutdown_is_said_in_livekits_words() -> None:
    """F17: a `SignalResponse` with `leave`, its reason SERVER_SHUTDOWN."""
    path = f"/livekit/rtc?access_token={token('open')}"
    async with wired() as wire, wire.client.ws_connect(path) as socket:
        await socket.send_str("hello")
        await socket.receive_str()
        await wire.signalling.shut_down("open")
        assert await socket.receive_bytes() == b"\x42\x04\x10\x03\x18\x00"
