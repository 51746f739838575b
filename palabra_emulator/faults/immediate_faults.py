"""Faults that need no occasion: triggered as soon as they are due, for every session meant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from palabra_emulator.faults.catalogue import (
    BotMissing,
    Fault,
    JunkPacket,
    NetworkGone,
    NothingComesOut,
    RoomClosed,
    ServiceTimeout,
    SpeechOverflow,
    TaskLost,
    UnknownVoice,
    WrongPace,
    WrongTracks,
)
from palabra_emulator.faults.injection import FaultInjector
from palabra_emulator.faults.message_faults import junk
from palabra_emulator.faults.signalling import SignallingFaults
from palabra_emulator.session import messages
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.transports.ports import CUT, Rooms, RoomsUnavailable
from palabra_emulator.transports.stream_audio import STALLED, TOO_FAST, TOO_SLOW

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.05
_WARNINGS: Final = {it.code: it.text for it in (TOO_FAST, TOO_SLOW, STALLED)}


class ImmediateFaults:
    """Does to running sessions what is due."""

    def __init__(
        self,
        injector: FaultInjector,
        sessions: Callable[[], Iterable[EmulatedSession]],
        rooms: Rooms,
        signalling: SignallingFaults,
    ) -> None:
        self._injector = injector
        self._sessions = sessions
        self._rooms = rooms
        self._signalling = signalling

    async def run(self) -> None:
        """Look for what is due, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    async def look(self) -> None:
        """Do what is due now."""
        if not self._injector.armed:
            return

        running = {it.faults: it for it in self._sessions() if it.is_ready}
        for faults, fault in self._injector.trigger_immediate(running):
            await self._apply(running[faults], fault)

    async def _apply(self, session: EmulatedSession, fault: Fault) -> None:
        needs_room = isinstance(fault, BotMissing | NetworkGone | WrongTracks)
        is_roomless = session.transport == "ws" and needs_room
        if is_roomless or not session.is_ready:  # a fault before may have ended it or its task
            session.note("fault", fault=fault.id, action="passed over")
            return

        match fault:
            case BotMissing():
                session.faults.is_away = True
                await self._send_bot_away(session)
            case RoomClosed():
                await self._close_room(session, fault)
            case NetworkGone(delay_ms=delay_ms):
                session.faults.cut(delay_ms / 1000)
                self._signalling.cut(session.identity.names.room)
            case SpeechOverflow(seconds=seconds):
                session.pipeline.flood(seconds, self._injector.clock())
            case _:
                _apply_within(session, fault)

    async def _send_bot_away(self, session: EmulatedSession) -> None:
        names = session.identity.names
        try:
            await self._rooms.expel(names.room, names.bot)
        except RoomsUnavailable as error:
            logger.warning("a bot was not sent away: %s", error)

    async def _close_room(self, session: EmulatedSession, fault: RoomClosed) -> None:
        faults, room = session.faults, session.identity.names.room
        faults.close_code = fault.close_code
        if session.transport == "webrtc":
            faults.spares_client = fault.variant != "removed"
            if fault.variant == "server_shutdown":
                await self._signalling.shut_down(room)
            elif fault.variant == "signal_drop":
                self._signalling.cut(room)
        elif fault.variant == "signal_drop":
            faults.close_code = CUT
        session.end(f"closed by {fault.id}")


def _apply_within(session: EmulatedSession, fault: Fault) -> None:
    """Do what needs nothing but the session itself."""
    match fault:
        case ServiceTimeout(detail=detail):
            session.end("service timeout", messages.error("SERVICE_TIMEOUT", detail))
        case UnknownVoice(voice_id=voice_id):
            session.outbox.post(messages.voice_not_found(voice_id))
        case WrongPace(variant=code, detail=detail):
            session.outbox.post(messages.warning(code, detail or _WARNINGS[code]))
        case TaskLost():
            session.lose_task()
        case JunkPacket(variant=variant, size=size):
            session.outbox.push(junk(variant, size))
        case WrongTracks():
            session.faults.renews_tracks = True
            session.tracks_changed.set()
        case NothingComesOut(variant="deaf"):
            session.faults.is_deaf = True
        case NothingComesOut():
            session.faults.is_mute = True
        case _:
            raise AssertionError(f"{fault.id} is not triggered by itself")
