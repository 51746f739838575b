"""Serving one visit: the loops between a session's mind and the way to its client; the parting."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from palabra_emulator.conversation import Conversation
from palabra_emulator.faults.transport import FaultyTransport
from palabra_emulator.ports import (
    DONE,
    FAILED,
    GOING_AWAY,
    REFUSED,
    ClientJoined,
    ClientLeft,
    Packet,
    RoomsUnavailable,
    Transport,
    TransportLost,
)
from palabra_emulator.session import Session
from palabra_emulator.visits import Visit

logger = logging.getLogger(__name__)

_BEAT_SECONDS: Final = 0.05
_INPUT_CHECK_SECONDS: Final = 0.5
_LAST_WORDS_SECONDS: Final = 1.0
_CLOSE_CODES: Final = {"service timeout": REFUSED, "shutdown": GOING_AWAY, "failed": FAILED}
"""What a WebSocket says at the end, by its reason; all else is a good end."""


async def serve(
    session: Session, conversation: Conversation, visit: Visit, *, keep_sids: bool
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


def close_code(session: Session) -> int:
    """What a WebSocket says at a session's end."""
    return _CLOSE_CODES.get(session.end_reason or "", DONE)


async def _offer_tracks(session: Session, transport: Transport, *, keep_sids: bool) -> None:
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


async def _beat(session: Session, conversation: Conversation, transport: Transport) -> None:
    while True:
        session.tick()
        conversation.tick()
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
    await _expel(transport, close_code(session))


async def _expel(transport: Transport, code: int) -> None:
    try:
        await transport.expel_client(code)
    except RoomsUnavailable as error:
        logger.warning("a client was not put out: %s", error)
