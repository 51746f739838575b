"""Opening sessions: what is created is deleted, whatever happens; and the transport's choice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from palabra_agent.errors import ApiError, PalabraError, SessionLost, Unreachable
from palabra_agent.languages import LanguageCode
from palabra_agent.local.processes import free_port
from palabra_agent.palabra.rest.api import ApiKey, SessionTicket, open_api
from palabra_agent.palabra.session_settings import Join, SessionSettings
from palabra_agent.palabra.sessions import PalabraSessions, TransportChoice, TransportWish
from palabra_agent.palabra.task.settings import TaskSettings
from palabra_agent.palabra.transports.port import Transport
from palabra_agent.palabra.transports.webrtc import join_room
from palabra_agent.palabra.vocabulary import TransportKind
from palabra_agent.session import Brief, VoiceMissing
from palabra_agent.voices import FixedVoice
from tests.clock import eventually, in_jumping_time
from tests.palabra.fake_transport import FakeTransport

pytestmark = pytest.mark.unit


_FELL_BACK = "webrtc was of no use, sessions use websocket from now on"

ES = LanguageCode("es")
BRIEF = Brief(LanguageCode("en"), (ES,))


def room_of(ticket: SessionTicket) -> AbstractAsyncContextManager[Transport]:
    """Join the room that the ticket names."""
    return join_room(ticket.webrtc_url, ticket.token)


@asynccontextmanager
async def deaf_room(_: SessionTicket) -> AsyncGenerator[Transport]:
    """Be in a room to which nothing can be published."""
    raise SessionLost("the microphone could not be published")
    yield FakeTransport()  # type: ignore[unreachable]  # what makes it a generator


@asynccontextmanager
async def endless_room(_: SessionTicket) -> AsyncGenerator[Transport]:
    """Never get in."""
    await asyncio.Event().wait()
    yield FakeTransport()


@dataclass
class FakeStorage:
    """Palabra's session API, whose sessions lead to a room that does not exist."""

    status: int = 201
    deletion_status: int = 204
    url: str = ""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    was_deleted: asyncio.Event = field(default_factory=asyncio.Event)
    log: list[str] = field(default_factory=list[str])

    async def create(self, _: web.Request) -> web.StreamResponse:
        """Create a session, as soon as the test lets us."""
        self.log.append("create")
        self.asked.set()
        await self.may_answer.wait()
        room = f"ws://127.0.0.1:{free_port()}"
        ticket = {"id": "s1", "publisher": "token", "webrtc_url": room, "ws_url": room}
        return web.json_response({"ok": self.status < 300, "data": ticket}, status=self.status)

    async def delete(self, request: web.Request) -> web.StreamResponse:
        """Delete a session."""
        self.log.append(f"delete {request.match_info['id']}")
        self.was_deleted.set()
        return web.Response(status=self.deletion_status)


@asynccontextmanager
async def sessions(storage: FakeStorage, join: Join = room_of) -> AsyncGenerator[PalabraSessions]:
    """Open sessions at a storage."""
    app = web.Application()
    app.router.add_post("/session-storage/session", storage.create)
    app.router.add_delete("/session-storage/sessions/{id}", storage.delete)
    async with (
        TestServer(app) as server,
        open_api(str(server.make_url("")), ApiKey("key")) as api,
    ):
        joins: dict[TransportKind, Join] = {"webrtc": join, "websocket": join}
        settings = SessionSettings(TaskSettings(transport="auto"))
        yield PalabraSessions(api, settings, make_joins=lambda _settings, _limits: joins)


async def reasons(palabra: PalabraSessions) -> list[BaseException]:
    """Try to open a session; return the errors of Palabra's that prevented it."""
    failures: list[BaseException] = []
    try:
        async with palabra.open(BRIEF):
            pytest.fail("there is no such room")
    except* PalabraError as caught:
        failures.extend(caught.exceptions)

    while any(isinstance(it, BaseExceptionGroup) for it in failures):
        failures = [
            inner
            for it in failures
            for inner in (it.exceptions if isinstance(it, BaseExceptionGroup) else [it])
        ]

    return failures


async def test_a_session_that_cannot_be_created_needs_no_deletion() -> None:
    """The refusal comes out as it is, and nothing else is asked."""
    storage = FakeStorage(status=403)
    storage.may_answer.set()
    async with sessions(storage) as palabra:
        [error] = await reasons(palabra)

    assert isinstance(error, ApiError)
    assert error.status == 403
    assert storage.log == ["create"]


async def test_a_session_whose_answer_comes_too_late_is_deleted() -> None:
    """A speaker who leaves while a session is being created leaves none behind."""
    storage = FakeStorage()
    async with sessions(storage) as palabra, asyncio.TaskGroup() as group:
        opening = group.create_task(reasons(palabra))
        async with asyncio.timeout(5):
            await storage.asked.wait()
            opening.cancel()
            storage.may_answer.set()
            await storage.was_deleted.wait()

    assert opening.cancelled()
    assert storage.log == ["create", "delete s1"]


@pytest.mark.parametrize("status", [204, 500])
async def test_a_session_that_cannot_be_joined_is_deleted(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason comes out, even where the deletion fails; no log line names session or token."""
    storage = FakeStorage(deletion_status=status)
    storage.may_answer.set()
    with caplog.at_level(logging.DEBUG, logger="palabra_agent"):
        async with sessions(storage) as palabra:
            [error] = await reasons(palabra)

    ours = [it for it in caplog.records if it.name.startswith("palabra_agent")]
    assert isinstance(error, Unreachable)
    assert storage.log == ["create", "delete s1"]
    assert [it.message for it in ours if it.levelno > logging.INFO] == [
        _FELL_BACK,
        *(["a palabra session was not deleted"] if status > 300 else []),
    ]
    assert [it for it in ours if "token" in str(it.__dict__) or "s1" in it.getMessage()] == []


@in_jumping_time
async def test_a_room_that_takes_no_voice_is_left_for_the_other_transport() -> None:
    """Where sound is blocked it shows when the microphone is published."""
    storage = FakeStorage()
    storage.may_answer.set()
    async with sessions(storage, deaf_room) as palabra:
        [error] = await reasons(palabra)

    assert isinstance(error, SessionLost)
    assert palabra.choice.kind == "websocket"
    assert storage.log == ["create", "delete s1"]


@in_jumping_time
async def test_joining_takes_no_longer_than_it_may() -> None:
    """Whatever the steps of it take, there is one deadline; the session is deleted."""
    storage, loop = FakeStorage(), asyncio.get_running_loop()
    storage.may_answer.set()
    began = loop.time()
    async with sessions(storage, endless_room) as palabra:
        [error] = await reasons(palabra)

    assert str(error) == "the Palabra session was lost: it could not be joined within 15 s"
    assert loop.time() - began == pytest.approx(15, abs=0.5)
    assert palabra.choice.kind == "websocket"
    assert storage.log == ["create", "delete s1"]


@in_jumping_time
async def test_an_open_session_learns_of_what_changed() -> None:
    """Told its brief again, it sends the task as it is made now; told the same, it sends nothing.

    The voices that Palabra lacks are told by it, too.
    """
    storage, transport = FakeStorage(), FakeTransport()
    storage.may_answer.set()

    @asynccontextmanager
    async def room(_: SessionTicket) -> AsyncGenerator[Transport]:
        yield transport

    brief = Brief(LanguageCode("en"), (ES,), voices={ES: FixedVoice("anna")})

    async def run_task() -> None:
        await eventually(lambda: transport.names)
        transport.run_task()

    async with sessions(storage, room) as palabra, asyncio.TaskGroup() as group:
        group.create_task(run_task())
        async with palabra.open(brief) as session:
            transport.answer("warning", code="VOICE_NOT_FOUND", message="'anna' is not available")
            session.rebrief(brief)
            changed = TaskSettings.model_validate({"transcription": {"priority": "speed"}})
            palabra.follow(SessionSettings(changed))
            session.rebrief(brief)
            await eventually(lambda: transport.names.count("set_task") == 2)
            events = session.events()
            told = [await anext(events), await anext(events)]

    tasks = [data["pipeline"] for name, data in transport.commands if name == "set_task"]
    assert [it["transcription"].get("priority") for it in tasks] == [None, "speed"]
    assert VoiceMissing("anna") in told


@pytest.mark.parametrize(
    ("wish", "first", "useless", "changes", "then"),
    [
        ("auto", "webrtc", "webrtc", True, "websocket"),
        ("auto", "webrtc", "websocket", False, "webrtc"),
        ("webrtc", "webrtc", "webrtc", False, "webrtc"),
        ("websocket", "websocket", "websocket", False, "websocket"),
    ],
)
def test_what_is_used(
    wish: TransportWish,
    first: TransportKind,
    useless: TransportKind,
    *,
    changes: bool,
    then: TransportKind,
) -> None:
    """Only `auto` changes, and only away from WebRTC."""
    choice = TransportChoice(wish)
    assert choice.kind == first
    assert choice.give_up(useless) is changes
    assert choice.kind == then


def test_it_changes_once() -> None:
    """Another session of either transport that ends badly is no news."""
    choice = TransportChoice("auto")

    assert (choice.may_change, choice.give_up("webrtc"), choice.kind) == (True, True, "websocket")
    assert (choice.may_change, choice.give_up("webrtc"), choice.kind) == (False, False, "websocket")
    assert not choice.give_up("websocket")
