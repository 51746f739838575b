"""What strikes by itself: found every now and then, and done to every session that is meant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from palabra_emulator.faults.injection import FaultInjector, TriggeredFault
from palabra_emulator.faults.message_faults import junk
from palabra_emulator.faults.signalling import SignallingFaults
from palabra_emulator.session import messages
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.transports.ports import Rooms, RoomsUnavailable
from palabra_emulator.transports.stream_audio import STALLED, TOO_FAST, TOO_SLOW

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.05
_WARNINGS: Final = {it.code: it.text for it in (TOO_FAST, TOO_SLOW, STALLED)}


class ImmediateFaults:
    """Strikes running sessions."""

    def __init__(
        self,
        injection: FaultInjector,
        sessions: Callable[[], Iterable[EmulatedSession]],
        rooms: Rooms,
        signalling: SignallingFaults,
    ) -> None:
        self._injection = injection
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
        if not self._injection.armed:
            return

        running = {it.faults: it for it in self._sessions() if it.is_ready}
        for faults, stroke in self._injection.strike_all(running):
            await self._strike(running[faults], stroke)

    async def _strike(self, session: EmulatedSession, stroke: TriggeredFault) -> None:
        is_roomless = session.transport == "ws" and stroke.fault in {"F8", "F18", "F21"}
        if is_roomless or not session.is_ready:  # a stroke before may have ended it or its task
            session.note("fault", fault=stroke.fault, action="passed over")
            return

        match stroke.fault:
            case "F8":
                session.faults.is_away = True
                await self._send_bot_away(session)
            case "F17":
                await self._close_room(session, stroke)
            case "F18":
                session.faults.cut(stroke.delay_seconds)
                self._signalling.cut(session.identity.place.room)
            case "F22":
                session.pipeline.flood(stroke.whole("seconds"), self._injection.clock())
            case _:
                _strike_within(session, stroke)

    async def _send_bot_away(self, session: EmulatedSession) -> None:
        place = session.identity.place
        try:
            await self._rooms.expel(place.room, place.bot)
        except RoomsUnavailable as error:
            logger.warning("a bot was not sent away: %s", error)

    async def _close_room(self, session: EmulatedSession, stroke: TriggeredFault) -> None:
        faults, room = session.faults, session.identity.place.room
        faults.close_code = stroke.whole("close_code")
        if session.transport == "webrtc":
            faults.spares_client = stroke.variant != "removed"
            if stroke.variant == "server_shutdown":
                await self._signalling.shut_down(room)
            elif stroke.variant == "signal_drop":
                self._signalling.cut(room)
        elif stroke.variant == "signal_drop":
            faults.close_code = 1006
        session.end(f"closed by {stroke.fault}")


def _strike_within(session: EmulatedSession, stroke: TriggeredFault) -> None:
    """Do what the session's own mind can do."""
    match stroke.fault:
        case "F13":
            error = messages.error("SERVICE_TIMEOUT", stroke.text("detail"))
            session.end("service timeout", error)
        case "F14":
            session.outbox.post(messages.voice_not_found(stroke.text("voice_id")))
        case "F15":
            text = stroke.text("detail") or _WARNINGS[stroke.variant]
            session.outbox.post(messages.warning(stroke.variant, text))
        case "F16":
            session.lose_task()
        case "F20":
            session.outbox.push(junk(stroke.variant, stroke.whole("size")))
        case "F21":
            session.faults.renews_tracks = True
            session.tracks_changed.set()
        case "F26" if stroke.variant == "deaf":
            session.faults.is_deaf = True
        case "F26":
            session.faults.is_mute = True
        case fault:
            raise AssertionError(f"{fault} does not strike by itself")
