"""Running one session from its opening to a tidy end: its room, its voice, and who visits it.

A client comes into the room where a bot waits for it, or by WebSocket. Who comes by WebSocket ends
the visit that was under way, and with it the waiting in the room: the session itself goes on.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from palabra_agent.concurrency import single_failure
from palabra_emulator.faults.connection_faults import FaultyTransport, open_bot_or_not
from palabra_emulator.interpreting.voices import SpeechRequest, SpeechVoice
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


@dataclass(frozen=True, slots=True)
class ClientConnection:
    """A client that comes by one transport, until the session is over or a newer visit begins."""

    transport: ClientTransport
    kind: TransportKind
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a newer visit has taken this one's place."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nobody serves it any more."""
    after: asyncio.Event | None = None
    """The end of the visit whose place it has taken."""


class ClientConnections:
    """Who visits a session; whoever runs it waits here for the next."""

    def __init__(self, *, begins_in_room: bool) -> None:
        self.begins_in_room = begins_in_room
        """Whether a bot waits for the client in a room."""
        self._newest: ClientConnection | None = None
        self._announced: asyncio.Queue[ClientConnection | None] = asyncio.Queue()
        self._is_closed = False

    @property
    def are_in_room(self) -> bool:
        """Whether the client is met in a room, as yet."""
        return self.begins_in_room and not self.have_moved

    @property
    def have_moved(self) -> bool:
        """Whether the client has come by WebSocket, so that no room is needed any more."""
        return self._newest is not None and self._newest.kind == "ws"

    def begin(self, transport: ClientTransport, kind: TransportKind) -> ClientConnection:
        """Have a new visit take the place of the one under way."""
        previous = self._newest
        visit = ClientConnection(
            transport, kind, after=previous.over if previous is not None else None
        )
        if previous is not None:
            previous.replaced.set()
        self._newest = visit
        return visit

    def announce(self, transport: ClientTransport) -> bool:
        """Have a client at the door that came by WebSocket; false where nobody opens any more."""
        if self._is_closed:
            return False

        self._announced.put_nowait(self.begin(transport, "ws"))
        return True

    async def next(self) -> ClientConnection | None:
        """Wait for the next client at the door; nothing when there will be none."""
        return await self._announced.get()

    def close(self) -> list[ClientConnection]:
        """Let nobody in any more; returns those who still wait at the door."""
        self._is_closed = True
        left: list[ClientConnection] = []
        while not self._announced.empty():
            visit = self._announced.get_nowait()
            if visit is not None:
                left.append(visit)

        self._announced.put_nowait(None)
        return left


logger = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 0.05
_INPUT_CHECK_SECONDS: Final = 0.5
_LAST_WORDS_SECONDS: Final = 1.0
_CLOSE_CODES: Final = {"service timeout": REFUSED, "shutdown": GOING_AWAY, "failed": FAILED}
"""What a WebSocket says at the end, by its reason; all else is a good end."""


async def serve(
    session: EmulatedSession,
    conversation: CommandHandler,
    visit: ClientConnection,
    *,
    keep_sids: bool,
) -> None:
    """Serve a visit until the session is over or a newer one takes its place."""
    if visit.after is not None:
        await visit.after.wait()
    conversation.begin(visit.kind)
    is_in_room = visit.kind == "webrtc"
    transport = FaultyTransport(visit.transport, session.faults, has_bot=is_in_room)
    try:
        async with asyncio.TaskGroup() as loops:
            running = [
                loops.create_task(_follow_client(session, conversation, transport)),
                loops.create_task(transport.listen(session.hear)),
                loops.create_task(_watch_input(session, transport)),
                loops.create_task(_beat(session, conversation, transport)),
                loops.create_task(_deliver(session, transport)),
                loops.create_task(_offer_tracks(session, transport, keep_sids=keep_sids)),
            ]
            await _either(session.over, visit.replaced)
            if session.is_over:
                await _part(session, transport)
            for loop in running:
                loop.cancel()
    except* TransportLost:
        session.end("transport lost")
    finally:
        visit.over.set()
    if visit.replaced.is_set():
        session.note("replaced", transport=visit.kind)
        await _expel(transport, REFUSED)


def close_code(session: EmulatedSession) -> int:
    """What a WebSocket says at a session's end."""
    return _CLOSE_CODES.get(session.end_reason or "", DONE)


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


async def _follow_client(
    session: EmulatedSession, conversation: CommandHandler, transport: ClientTransport
) -> None:
    while True:
        match await transport.next_event():
            case ClientJoined():
                session.client_joined()
            case ClientLeft():
                session.client_left()
            case Packet(payload, is_reliable):
                session.client_spoke()
                conversation.receive(payload, is_reliable=is_reliable)


async def _watch_input(session: EmulatedSession, transport: ClientTransport) -> None:
    while True:
        await asyncio.sleep(_INPUT_CHECK_SECONDS)
        if session.is_listening and await transport.has_input():
            session.input_arrived()


async def _beat(
    session: EmulatedSession, conversation: CommandHandler, transport: ClientTransport
) -> None:
    while True:
        session.tick()
        conversation.tick()
        for language, pcm in session.sound_due():
            if pcm is None:
                transport.hush(language)
            else:
                await transport.play(language, pcm)
        await asyncio.sleep(_BEAT_SECONDS)


async def _deliver(session: EmulatedSession, transport: ClientTransport) -> None:
    while True:
        payload = await session.outbox.next()
        try:
            await transport.send(payload)
        finally:
            session.outbox.done()


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


class SessionRunner:
    """What a session lives on; the same for all of them."""

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

    async def live(
        self,
        session: EmulatedSession,
        conversation: CommandHandler,
        visits: ClientConnections,
        opened: asyncio.Future[None],
    ) -> None:
        """Run a session from its beginning to its end, its room's included if it has one.

        Raises:
            RoomsUnavailable: It could not begin.
        """
        try:
            with single_failure():
                await self._live(session, conversation, visits, opened)
        finally:
            session.end("failed")
            for late in visits.close():
                await late.transport.expel_client(FAILED)

    async def _live(
        self,
        session: EmulatedSession,
        conversation: CommandHandler,
        visits: ClientConnections,
        opened: asyncio.Future[None],
    ) -> None:
        async with asyncio.TaskGroup() as ways:
            voice = ways.create_task(self._make_speech(session))
            door = ways.create_task(self._receive(session, conversation, visits))
            if visits.begins_in_room:
                ways.create_task(self._meet_in_room(session, conversation, visits, opened))
            await session.over.wait()
            for late in visits.close():
                await late.transport.expel_client(close_code(session))
            await door
            voice.cancel()

    async def _meet_in_room(
        self,
        session: EmulatedSession,
        conversation: CommandHandler,
        visits: ClientConnections,
        opened: asyncio.Future[None],
    ) -> None:
        """Wait in a room for the client, and stay until it comes another way."""
        room = session.identity.place.room
        await self._rooms.create(room)
        try:
            async with open_bot_or_not(
                self._open_transport,
                session.identity.place,
                session.faults,
                self._bot_delay_seconds,
            ) as bot:
                visit = visits.begin(bot, "webrtc")
                if opened.cancelled():
                    session.end("abandoned")
                else:
                    opened.set_result(None)
                await serve(session, conversation, visit, keep_sids=self._keep_sids)
        finally:
            if not visits.have_moved:
                session.end("failed")
            await self._close(room)

    async def _receive(
        self, session: EmulatedSession, conversation: CommandHandler, visits: ClientConnections
    ) -> None:
        """Open the door to those who come by WebSocket, one after the other."""
        while (visit := await visits.next()) is not None:
            try:
                await serve(session, conversation, visit, keep_sids=self._keep_sids)
            finally:
                await visit.transport.expel_client(FAILED)

    async def _make_speech(self, session: EmulatedSession) -> None:
        while True:
            rendering = await session.orders.get()
            seconds, marker_hz = rendering.where.seconds, session.identity.marker_hz
            speech = SpeechRequest(rendering.text, rendering.language, seconds, marker_hz)
            rendering.pcm = await self._voice.speak(speech)

    async def _close(self, room: str) -> None:
        try:
            await self._rooms.delete(room)
        except RoomsUnavailable as error:
            logger.warning("an emulated room was left open: %s", error, extra={"room": room})
