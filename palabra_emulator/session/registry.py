"""All sessions: opened, found, listed, deleted; each runs on its own and fails alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from palabra_emulator.credentials import is_same
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.running import ClientConnections, SessionRunner
from palabra_emulator.session.session import AFTERLIFE_SECONDS, EmulatedSession, new_identity
from palabra_emulator.session.task import TaskRules
from palabra_emulator.transports.ports import ClientTransport, RoomsUnavailable

logger = logging.getLogger(__name__)

_KEY_INTENT: Final = "api"
_MEMORY_SECONDS: Final = 600.0
"""How long a session that is over can still be inspected."""


class TooManySessions(Exception):
    """As many sessions as there may be are open."""


@dataclass(slots=True)
class _Resident:
    """A session with all that it lives with."""

    session: EmulatedSession
    conversation: CommandHandler
    visits: ClientConnections
    opened: asyncio.Future[None]
    """Done when its bot is in its room."""
    token: str | None = None
    """With which its client may come by WebSocket."""


class SessionRegistry:
    """The sessions of one emulator; `run` is their home and must be running."""

    def __init__(
        self,
        options: EmulatorOptions,
        script: Script,
        journal: Journal,
        life: SessionRunner,
        injection: FaultInjector | None = None,
    ) -> None:
        self._options = options
        self._script = script
        self._journal = journal
        self._life = life
        self._injection = injection
        self._rules = TaskRules("webrtc", options.strict_fields, options.queue_minimums)
        self._openings: asyncio.Queue[_Resident | None] = asyncio.Queue()
        self._residents: dict[str, _Resident] = {}
        self._count = 0
        self._all_gone = asyncio.Event()
        self._is_closed = False

    async def run(self) -> None:
        """Let sessions live until `close`; returns when the last is gone."""
        try:
            async with asyncio.TaskGroup() as lives:
                while (resident := await self._openings.get()) is not None:
                    room = resident.session.identity.place.room
                    lives.create_task(self._supervise(resident), name=f"emulated session {room}")
        finally:
            self._all_gone.set()

    async def close(self) -> None:
        """End all sessions, take no more, and wait until the last is gone."""
        self._is_closed = True
        for resident in self._residents.values():
            resident.session.end("shutdown")

        self._openings.put_nowait(None)
        await self._all_gone.wait()

    async def create(self, intent: str) -> EmulatedSession:
        """Open a session; its bot is in its room when this returns.

        Raises:
            RoomsUnavailable: It could not be opened.
            TooManySessions: There are as many as there may be.
        """
        if self._is_closed:
            raise RoomsUnavailable("The emulator stops")
        if sum(it.visits.begins_in_room for it in self._living()) >= self._options.most_sessions:
            raise TooManySessions

        resident = self._resident(intent, self._options, ClientConnections(begins_in_room=True))
        session = resident.session
        self._openings.put_nowait(resident)
        try:
            await resident.opened
        except RoomsUnavailable:
            del self._residents[session.identity.session_id]
            raise

        room, marker_hz = session.identity.place.room, session.identity.marker_hz
        session.note("created", room=room, marker_hz=marker_hz)
        return session

    def open_for(self, transport: ClientTransport) -> bool:
        """Open a session for a client that came by WebSocket with nothing but an API key.

        It has no room, and ends with the client's connection. False where no more are opened.
        """
        if self._is_closed:
            return False

        visits = ClientConnections(begins_in_room=False)
        visits.announce(transport)
        options = replace(self._options, grace_s=0.0)
        resident = self._resident(_KEY_INTENT, options, visits)
        resident.opened.set_result(None)
        self._openings.put_nowait(resident)
        resident.session.note("created", marker_hz=resident.session.identity.marker_hz)
        return True

    def invite(self, session: EmulatedSession, token: str) -> None:
        """Let a session's client come by WebSocket too, with this token."""
        self._residents[session.identity.session_id].token = token

    def invited(self, token: str) -> EmulatedSession | None:
        """The session that lives and whose client has this token."""
        return next(
            (it.session for it in self._living() if it.token and is_same(token, it.token)),
            None,
        )

    def announce(self, session: EmulatedSession, transport: ClientTransport) -> bool:
        """Let a client in that came by WebSocket; false where its session is over."""
        if session.is_over:
            return False

        return self._residents[session.identity.session_id].visits.announce(transport)

    def find(self, session_id: str) -> EmulatedSession | None:
        """The session with this id, if the REST API still knows it."""
        return next((s for s in self.known() if s.identity.session_id == session_id), None)

    def known(self) -> list[EmulatedSession]:
        """The sessions that the REST API knows, oldest first."""
        now = time.time()
        return [
            session
            for session in self._all()
            if session.state != "deleted"
            and (session.ended_at is None or now - session.ended_at < AFTERLIFE_SECONDS)
        ]

    def remembered(self) -> list[EmulatedSession]:
        """All sessions that can be inspected, oldest first."""
        self._forget()
        return self._all()

    def is_open(self, room: str) -> bool:
        """Whether a room belongs to a session that lives, and whose client is expected there."""
        return any(
            it.session.identity.place.room == room and it.visits.are_in_room
            for it in self._living()
        )

    def faults_of(self, room: str) -> SessionFaults | None:
        """What faults do to the session of a room."""
        rooms = {it.identity.place.room: it.faults for it in self._all()}
        return rooms.get(room)

    def _resident(
        self, intent: str, options: EmulatorOptions, visits: ClientConnections
    ) -> _Resident:
        self._forget()
        identity = new_identity(self._count, intent)
        self._count += 1
        session = EmulatedSession(
            identity, options, self._script, self._journal, injection=self._injection
        )
        conversation = CommandHandler(session, options, self._rules)
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        resident = _Resident(session, conversation, visits, opened)
        self._residents[identity.session_id] = resident
        return resident

    def _all(self) -> list[EmulatedSession]:
        return [resident.session for resident in self._residents.values()]

    def _living(self) -> Iterator[_Resident]:
        return (it for it in self._residents.values() if not it.session.is_over)

    async def _supervise(self, resident: _Resident) -> None:
        session = resident.session
        room = session.identity.place.room
        try:
            await self._life.live(session, resident.conversation, resident.visits, resident.opened)
            logger.info("emulated session over: %s", session.end_reason, extra={"room": room})
        except RoomsUnavailable as unavailable:
            self._fail(resident, unavailable)
        except Exception:  # whatever breaks a bot ends its own session and no other
            logger.exception("emulated session failed", extra={"room": room})
            self._fail(resident, RoomsUnavailable("The emulator's bot failed"))
        resident.session.let_go()

    def _fail(self, resident: _Resident, reason: RoomsUnavailable) -> None:
        resident.session.end("failed")
        if not resident.opened.done():
            resident.opened.set_exception(reason)

    def _forget(self) -> None:
        too_old = time.time() - _MEMORY_SECONDS
        for session_id, resident in list(self._residents.items()):
            ended_at = resident.session.ended_at
            if ended_at is not None and ended_at <= too_old:
                del self._residents[session_id]
                if self._injection is not None:
                    self._injection.forget(session_id)
