"""Running one session from its opening to a tidy end: its room, its voice, and who visits it.

A client comes into the room where a bot waits for it, or by WebSocket. Who comes by WebSocket ends
the visit that was under way, and with it the waiting in the room: the session itself goes on.
"""

from __future__ import annotations

import asyncio
import logging

from palabra_agent.concurrency import single_failure
from palabra_emulator.conversation import Conversation
from palabra_emulator.faults.transport import open_bot_or_not
from palabra_emulator.ports import FAILED, OpenTransport, Rooms, RoomsUnavailable
from palabra_emulator.session import Session
from palabra_emulator.visiting import close_code, serve
from palabra_emulator.visits import Visits
from palabra_emulator.voices import Speech, Voice

logger = logging.getLogger(__name__)


class Life:
    """What a session lives on; the same for all of them."""

    def __init__(
        self,
        rooms: Rooms,
        open_transport: OpenTransport,
        voice: Voice,
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
        session: Session,
        conversation: Conversation,
        visits: Visits,
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
        session: Session,
        conversation: Conversation,
        visits: Visits,
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
        session: Session,
        conversation: Conversation,
        visits: Visits,
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

    async def _receive(self, session: Session, conversation: Conversation, visits: Visits) -> None:
        """Open the door to those who come by WebSocket, one after the other."""
        while (visit := await visits.next()) is not None:
            try:
                await serve(session, conversation, visit, keep_sids=self._keep_sids)
            finally:
                await visit.transport.expel_client(FAILED)

    async def _make_speech(self, session: Session) -> None:
        while True:
            rendering = await session.orders.get()
            seconds, marker_hz = rendering.where.seconds, session.identity.marker_hz
            speech = Speech(rendering.text, rendering.language, seconds, marker_hz)
            rendering.pcm = await self._voice.speak(speech)

    async def _close(self, room: str) -> None:
        try:
            await self._rooms.delete(room)
        except RoomsUnavailable as error:
            logger.warning("an emulated room was left open: %s", error, extra={"room": room})
