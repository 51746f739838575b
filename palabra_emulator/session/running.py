"""Running one session from its opening to a tidy end: its room, its speech, and its client.

A client comes into the room where a bot waits for it, or by WebSocket. A client that comes by
WebSocket replaces the connection that was served, and ends the waiting in the room; the session
itself goes on.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.concurrency import single_failure
from palabra_emulator.faults.connection_faults import FaultyTransport, open_bot_or_not
from palabra_emulator.interpreting.speech import SpeechVoice
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.transports.ports import (
    DONE,
    FAILED,
    GOING_AWAY,
    REFUSED,
    ClientJoined,
    ClientLeft,
    ClientTransport,
    OpenTransport,
    Packet,
    Rooms,
    RoomsUnavailable,
    TransportKind,
    TransportLost,
)

logger = logging.getLogger(__name__)

_TICK_SECONDS: Final = 0.05
_INPUT_CHECK_SECONDS: Final = 0.5
_LAST_WORDS_SECONDS: Final = 1.0
_CLOSE_CODES: Final = {"service timeout": REFUSED, "shutdown": GOING_AWAY, "failed": FAILED}
"""A WebSocket's close codes, by the reason of the end; all else is a good end."""


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """A client's connection by one transport, served until it is replaced or the session ends."""

    transport: ClientTransport
    kind: TransportKind
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a newer connection has taken this one's place."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is served no more."""
    after: asyncio.Event | None = None
    """The end of the connection whose place it has taken."""


class ClientConnections:
    """The connections of one session's client, one after the other; the newest is served."""

    def __init__(self, *, begins_in_room: bool) -> None:
        self.begins_in_room = begins_in_room
        """True if a bot waits for the client in a room."""
        self._newest: ClientConnection | None = None
        self._waiting: asyncio.Queue[ClientConnection | None] = asyncio.Queue()
        self._is_closed = False

    @property
    def are_in_room(self) -> bool:
        """True if the client is met in a room, as yet."""
        return self.begins_in_room and not self.have_moved

    @property
    def have_moved(self) -> bool:
        """True if the client has come by WebSocket, so that no room is needed any more."""
        return self._newest is not None and self._newest.kind == "ws"

    def begin(self, transport: ClientTransport, kind: TransportKind) -> ClientConnection:
        """Have a new connection take the place of the one that is served."""
        previous = self._newest
        after = previous.over if previous is not None else None
        connection = ClientConnection(transport, kind, after=after)
        if previous is not None:
            previous.replaced.set()
        self._newest = connection
        return connection

    def add_websocket(self, transport: ClientTransport) -> bool:
        """Have a client wait that came by WebSocket; false where none is served any more."""
        if self._is_closed:
            return False

        self._waiting.put_nowait(self.begin(transport, "ws"))
        return True

    async def next(self) -> ClientConnection | None:
        """Wait for the next client that comes by WebSocket; nothing when there will be none."""
        return await self._waiting.get()

    def close(self) -> list[ClientConnection]:
        """Take no more connections; returns those that still wait."""
        self._is_closed = True
        left: list[ClientConnection] = []
        while not self._waiting.empty():
            connection = self._waiting.get_nowait()
            if connection is not None:
                left.append(connection)

        self._waiting.put_nowait(None)
        return left


@dataclass(slots=True)
class OpenSession:
    """A session with all that runs with it."""

    session: EmulatedSession
    handler: CommandHandler
    connections: ClientConnections
    opened: asyncio.Future[None]
    """Done when its bot is in its room."""
    token: str | None = None
    """With which its client may come by WebSocket."""


class SessionRunner:
    """Runs sessions, each with a room and speech of its own."""

    def __init__(
        self,
        rooms: Rooms,
        open_transport: OpenTransport,
        voice: SpeechVoice,
        *,
        keep_sids: bool,
        bot_delay_seconds: float = 0.0,
    ) -> None:
        self._rooms = rooms
        self._open_transport = open_transport
        self._voice = voice
        self._keep_sids = keep_sids
        self._bot_delay_seconds = bot_delay_seconds

    async def run(self, opened: OpenSession) -> None:
        """Run a session from its beginning to its end, its room's included if it has one.

        Raises:
            RoomsUnavailable: It could not begin.
        """
        try:
            with single_failure():
                await self._run(opened)
        finally:
            opened.session.end("failed")
            for late in opened.connections.close():
                await late.transport.expel_client(FAILED)

    async def _run(self, opened: OpenSession) -> None:
        async with asyncio.TaskGroup() as tasks:
            speech = tasks.create_task(self._make_speech(opened.session))
            websockets = tasks.create_task(self._serve_websockets(opened))
            if opened.connections.begins_in_room:
                tasks.create_task(self._serve_room(opened))
            await opened.session.over.wait()
            for late in opened.connections.close():
                await late.transport.expel_client(close_code(opened.session))
            await websockets
            speech.cancel()

    async def _serve_room(self, opened: OpenSession) -> None:
        """Wait in a room for the client, and stay until it comes by WebSocket."""
        session, connections = opened.session, opened.connections
        names = session.identity.names
        await self._rooms.create(names.room)
        try:
            async with open_bot_or_not(
                self._open_transport, names, session.faults, self._bot_delay_seconds
            ) as bot:
                connection = connections.begin(bot, "webrtc")
                if opened.opened.cancelled():
                    session.end("abandoned")
                else:
                    opened.opened.set_result(None)
                await serve(session, opened.handler, connection, keep_sids=self._keep_sids)
        finally:
            if not connections.have_moved:
                session.end("failed")
            await self._close_room(names.room)

    async def _serve_websockets(self, opened: OpenSession) -> None:
        """Serve the client's WebSockets, one after the other."""
        while (connection := await opened.connections.next()) is not None:
            try:
                await serve(opened.session, opened.handler, connection, keep_sids=self._keep_sids)
            finally:
                await connection.transport.expel_client(FAILED)

    async def _make_speech(self, session: EmulatedSession) -> None:
        while True:
            wanted = await session.speech_wanted.get()
            wanted.pcm = await self._voice.speak(wanted.request)

    async def _close_room(self, room: str) -> None:
        try:
            await self._rooms.delete(room)
        except RoomsUnavailable as error:
            logger.warning("an emulated room was left open: %s", error, extra={"room": room})


async def serve(
    session: EmulatedSession,
    handler: CommandHandler,
    connection: ClientConnection,
    *,
    keep_sids: bool,
) -> None:
    """Serve a connection until the session is over or a newer connection takes its place."""
    if connection.after is not None:
        await connection.after.wait()
    handler.begin(connection.kind)
    is_in_room = connection.kind == "webrtc"
    transport = FaultyTransport(connection.transport, session.faults, has_bot=is_in_room)
    try:
        async with asyncio.TaskGroup() as loops:
            running = [
                loops.create_task(_follow_client(session, handler, transport)),
                loops.create_task(transport.listen(session.hear)),
                loops.create_task(_watch_input(session, transport)),
                loops.create_task(_tick(session, handler, transport)),
                loops.create_task(_send(session, transport)),
                loops.create_task(_offer_tracks(session, transport, keep_sids=keep_sids)),
            ]
            await _either(session.over, connection.replaced)
            if session.is_over:
                await _part(session, transport)
            for loop in running:
                loop.cancel()
    except* TransportLost:
        session.end("transport lost")
    finally:
        connection.over.set()
    if connection.replaced.is_set():
        session.note("replaced", transport=connection.kind)
        await _expel(transport, REFUSED)


def close_code(session: EmulatedSession) -> int:
    """The close code of a WebSocket at a session's end."""
    return _CLOSE_CODES.get(session.end_reason or "", DONE)


async def _follow_client(
    session: EmulatedSession, handler: CommandHandler, transport: ClientTransport
) -> None:
    while True:
        match await transport.next_event():
            case ClientJoined():
                session.client_joined()
            case ClientLeft():
                session.client_left()
            case Packet(payload, is_reliable):
                session.client_spoke()
                handler.receive(payload, is_reliable=is_reliable)


async def _watch_input(session: EmulatedSession, transport: ClientTransport) -> None:
    while True:
        await asyncio.sleep(_INPUT_CHECK_SECONDS)
        if session.is_listening and await transport.has_input():
            session.input_arrived()


async def _tick(
    session: EmulatedSession, handler: CommandHandler, transport: ClientTransport
) -> None:
    while True:
        session.tick()
        handler.tick()
        for language, pcm in session.sound_due():
            if pcm is None:
                transport.hush(language)
            else:
                await transport.play(language, pcm)
        await asyncio.sleep(_TICK_SECONDS)


async def _send(session: EmulatedSession, transport: ClientTransport) -> None:
    while True:
        payload = await session.outbox.next()
        try:
            await transport.send(payload)
        finally:
            session.outbox.done()


async def _offer_tracks(
    session: EmulatedSession, transport: ClientTransport, *, keep_sids: bool
) -> None:
    while True:
        await session.tracks_changed.wait()
        session.tracks_changed.clear()
        languages = session.wanted_tracks
        await transport.offer(languages, anew=not keep_sids)
        session.note("tracks", languages=languages)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as waiting:
        waits = [waiting.create_task(event.wait()) for event in (one, other)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def _part(session: EmulatedSession, transport: ClientTransport) -> None:
    """Let the last words arrive, then end the client's connection."""
    try:
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            await session.outbox.delivered()
    except TimeoutError:
        logger.debug("the last messages were not delivered in time")

    await asyncio.sleep(session.farewell_seconds)
    await _expel(transport, close_code(session))


async def _expel(transport: ClientTransport, code: int) -> None:
    try:
        await transport.expel_client(code)
    except RoomsUnavailable as error:
        logger.warning("a client was not put out: %s", error)
