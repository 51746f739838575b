"""Running one session: the loops between its mind, its client, and its voice, and a tidy end."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from palabra_agent.emulator.conversation import Conversation
from palabra_agent.emulator.ports import (
    ClientJoined,
    ClientLeft,
    OpenTransport,
    Packet,
    Rooms,
    RoomsUnavailable,
    Transport,
    TransportLost,
)
from palabra_agent.emulator.session import Session
from palabra_agent.emulator.voices import Speech, Voice

logger = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 0.05
_INPUT_CHECK_SECONDS: Final = 0.5
_LAST_WORDS_SECONDS: Final = 1.0


class Life:
    """What a session lives on; the same for all of them."""

    def __init__(
        self, rooms: Rooms, open_transport: OpenTransport, voice: Voice, *, keep_sids: bool
    ) -> None:
        self._rooms = rooms
        self._open_transport = open_transport
        self._voice = voice
        self._keep_sids = keep_sids

    async def live(
        self, session: Session, conversation: Conversation, opened: asyncio.Future[None]
    ) -> None:
        """Run a session from its room's making to its room's end.

        Raises:
            RoomsUnavailable: It could not begin.
        """
        room = session.identity.place.room
        await self._rooms.create(room)
        try:
            async with self._open_transport(session.identity.place) as transport:
                if opened.cancelled():
                    session.end("abandoned")
                else:
                    opened.set_result(None)
                await self._converse(session, conversation, transport)
        finally:
            session.end("failed")
            await self._close(room)

    async def _converse(
        self, session: Session, conversation: Conversation, transport: Transport
    ) -> None:
        try:
            async with asyncio.TaskGroup() as loops:
                running = [
                    loops.create_task(_follow_client(session, conversation, transport)),
                    loops.create_task(transport.listen(session.hear)),
                    loops.create_task(_watch_input(session, transport)),
                    loops.create_task(_beat(session, transport)),
                    loops.create_task(_deliver(session, transport)),
                    loops.create_task(self._offer_tracks(session, transport)),
                    loops.create_task(self._make_speech(session)),
                ]
                await session.over.wait()
                await _part(session, transport)
                for loop in running:
                    loop.cancel()
        except* TransportLost:
            session.end("transport lost")

    async def _offer_tracks(self, session: Session, transport: Transport) -> None:
        while True:
            await session.tracks_changed.wait()
            session.tracks_changed.clear()
            languages = session.wanted_tracks
            await transport.offer(languages, anew=not self._keep_sids)
            session.note("tracks", languages=languages)

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


async def _follow_client(
    session: Session, conversation: Conversation, transport: Transport
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


async def _watch_input(session: Session, transport: Transport) -> None:
    while True:
        await asyncio.sleep(_INPUT_CHECK_SECONDS)
        if session.is_listening and await transport.has_input():
            session.input_arrived()


async def _beat(session: Session, transport: Transport) -> None:
    while True:
        session.tick()
        for language, pcm in session.sound_due():
            if pcm is None:
                transport.hush(language)
            else:
                await transport.play(language, pcm)
        await asyncio.sleep(_BEAT_SECONDS)


async def _deliver(session: Session, transport: Transport) -> None:
    while True:
        payload = await session.outbox.next()
        try:
            await transport.send(payload)
        finally:
            session.outbox.done()


async def _part(session: Session, transport: Transport) -> None:
    """Let the last words arrive, then end the client's connection."""
    try:
        async with asyncio.timeout(_LAST_WORDS_SECONDS):
            await session.outbox.delivered()
    except TimeoutError:
        logger.debug("the last messages were not delivered in time")

    await asyncio.sleep(session.farewell_seconds)
    try:
        await transport.expel_client()
    except RoomsUnavailable as error:
        logger.warning("a client was not put out: %s", error)
