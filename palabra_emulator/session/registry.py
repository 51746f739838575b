"""All sessions: opened, found, listed, deleted; each runs on its own and fails alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from palabra_emulator.credentials import is_same
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script
from palabra_emulator.session.command_handler import CommandHandler
from palabra_emulator.session.running import ClientConnections, OpenSession, SessionRunner
from palabra_emulator.session.session import AFTERLIFE_SECONDS, EmulatedSession, new_identity
from palabra_emulator.session.task import TaskRules
from palabra_emulator.transports.ports import ClientTransport, RoomsUnavailable

logger = logging.getLogger(__name__)

_KEY_INTENT: Final = "api"
_MEMORY_SECONDS: Final = 600.0
"""The time for which a session that is over can still be inspected."""


class TooManySessions(Exception):
    """As many sessions as there may be are open."""


class SessionRegistry:
    """The sessions of one emulator; they run within `run`, which must be running."""

    def __init__(
        self,
        options: EmulatorOptions,
        script: Script,
        journal: Journal,
        runner: SessionRunner,
        injector: FaultInjector | None = None,
    ) -> None:
        self._options = options
        self._script = script
        self._journal = journal
        self._runner = runner
        self._injector = injector
        self._rules = TaskRules("webrtc", options.strict_fields, options.queue_minimums)
        self._openings: asyncio.Queue[OpenSession | None] = asyncio.Queue()
        self._sessions: dict[str, OpenSession] = {}
        self._count = 0
        self._all_gone = asyncio.Event()
        self._is_closed = False

    async def run(self) -> None:
        """Run sessions until `close`; returns when the last is gone."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while (opened := await self._openings.get()) is not None:
                    room = opened.session.identity.names.room
                    tasks.create_task(self._supervise(opened), name=f"emulated session {room}")
        finally:
            self._all_gone.set()

    async def close(self) -> None:
        """End all sessions, take no more, and wait until the last is gone."""
        self._is_closed = True
        for opened in self._sessions.values():
            opened.session.end("shutdown")

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
        if sum(it.connections.begins_in_room for it in self._alive()) >= (
            self._options.most_sessions
        ):
            raise TooManySessions

        opened = self._open(intent, self._options, ClientConnections(begins_in_room=True))
        identity = opened.session.identity
        self._openings.put_nowait(opened)
        try:
            await opened.opened
        except RoomsUnavailable:
            del self._sessions[identity.session_id]
            raise

        opened.session.note("created", room=identity.names.room, marker_hz=identity.marker_hz)
        return opened.session

    def create_for(self, transport: ClientTransport) -> bool:
        """Open a session for a client that came by WebSocket with nothing but an API key.

        It has no room, and ends with the client's connection. False where no more are opened.
        """
        if self._is_closed:
            return False

        connections = ClientConnections(begins_in_room=False)
        connections.add_websocket(transport)
        opened = self._open(_KEY_INTENT, replace(self._options, grace_s=0.0), connections)
        opened.opened.set_result(None)
        self._openings.put_nowait(opened)
        opened.session.note("created", marker_hz=opened.session.identity.marker_hz)
        return True

    def allow_websocket(self, session: EmulatedSession, token: str) -> None:
        """Let a session's client come by WebSocket too, with this token."""
        self._sessions[session.identity.session_id].token = token

    def with_token(self, token: str) -> EmulatedSession | None:
        """The session that is not over and whose client has this token."""
        return next(
            (it.session for it in self._alive() if it.token and is_same(token, it.token)), None
        )

    def connect(self, session: EmulatedSession, transport: ClientTransport) -> bool:
        """Take a client's WebSocket; false where its session is over."""
        if session.is_over:
            return False

        return self._sessions[session.identity.session_id].connections.add_websocket(transport)

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
        """True if a room belongs to a session that is not over and expects its client there."""
        return any(
            it.session.identity.names.room == room and it.connections.are_in_room
            for it in self._alive()
        )

    def faults_of(self, room: str) -> SessionFaults | None:
        """The faults of the session of a room."""
        rooms = {it.identity.names.room: it.faults for it in self._all()}
        return rooms.get(room)

    def _open(
        self, intent: str, options: EmulatorOptions, connections: ClientConnections
    ) -> OpenSession:
        self._forget()
        identity = new_identity(self._count, intent)
        self._count += 1
        session = EmulatedSession(
            identity, options, self._script, self._journal, injector=self._injector
        )
        handler = CommandHandler(session, options, self._rules)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        opened = OpenSession(session, handler, connections, future)
        self._sessions[identity.session_id] = opened
        return opened

    def _all(self) -> list[EmulatedSession]:
        return [opened.session for opened in self._sessions.values()]

    def _alive(self) -> Iterator[OpenSession]:
        return (it for it in self._sessions.values() if not it.session.is_over)

    async def _supervise(self, opened: OpenSession) -> None:
        session = opened.session
        room = session.identity.names.room
        try:
            await self._runner.run(opened)
            logger.info("emulated session over: %s", session.end_reason, extra={"room": room})
        except RoomsUnavailable as unavailable:
            self._fail(opened, unavailable)
        except Exception:  # whatever breaks a bot ends its own session and no other
            logger.exception("emulated session failed", extra={"room": room})
            self._fail(opened, RoomsUnavailable("The emulator's bot failed"))
        session.release()

    def _fail(self, opened: OpenSession, reason: RoomsUnavailable) -> None:
        opened.session.end("failed")
        if not opened.opened.done():
            opened.opened.set_exception(reason)

    def _forget(self) -> None:
        too_old = time.time() - _MEMORY_SECONDS
        for session_id, opened in list(self._sessions.items()):
            ended_at = opened.session.ended_at
            if ended_at is not None and ended_at <= too_old:
                del self._sessions[session_id]
                if self._injector is not None:
                    self._injector.forget(session_id)
