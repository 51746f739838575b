"""All sessions: opened, found, listed, deleted; each runs on its own and fails alone."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

from palabra_agent.emulator.conversation import Conversation
from palabra_agent.emulator.identifiers import new_identity
from palabra_agent.emulator.journal import Journal
from palabra_agent.emulator.life import Life
from palabra_agent.emulator.options import EmulatorOptions
from palabra_agent.emulator.ports import RoomsUnavailable
from palabra_agent.emulator.script import Script
from palabra_agent.emulator.session import AFTERLIFE_SECONDS, Session
from palabra_agent.emulator.task import TaskRules

logger = logging.getLogger(__name__)

_MEMORY_SECONDS: Final = 600.0
"""How long a session that is over can still be inspected."""


@dataclass(frozen=True, slots=True)
class _Opening:
    """A session about to live."""

    session: Session
    conversation: Conversation
    opened: asyncio.Future[None]


class Registry:
    """The sessions of one emulator; `run` is their home and must be running."""

    def __init__(
        self, options: EmulatorOptions, script: Script, journal: Journal, life: Life
    ) -> None:
        self._options = options
        self._script = script
        self._journal = journal
        self._life = life
        self._rules = TaskRules("webrtc", options.strict_fields, options.queue_minimums)
        self._openings: asyncio.Queue[_Opening | None] = asyncio.Queue()
        self._sessions: dict[str, Session] = {}
        self._count = 0
        self._all_gone = asyncio.Event()

    async def run(self) -> None:
        """Let sessions live until `close`; returns when the last is gone."""
        try:
            async with asyncio.TaskGroup() as lives:
                while (opening := await self._openings.get()) is not None:
                    room = opening.session.identity.place.room
                    lives.create_task(self._supervise(opening), name=f"emulated session {room}")
        finally:
            self._all_gone.set()

    async def close(self) -> None:
        """End all sessions, take no more, and wait until the last is gone."""
        for session in self._sessions.values():
            session.end("shutdown")

        self._openings.put_nowait(None)
        await self._all_gone.wait()

    async def create(self, intent: str) -> Session:
        """Open a session; its bot is in its room when this returns.

        Raises:
            RoomsUnavailable: It could not be opened.
        """
        self._forget()
        identity = new_identity(self._count, intent)
        self._count += 1
        session = Session(identity, self._options, self._script, self._journal)
        conversation = Conversation(session, self._options, self._rules)
        opening = _Opening(session, conversation, asyncio.get_running_loop().create_future())
        self._sessions[identity.session_id] = session
        self._openings.put_nowait(opening)
        try:
            await opening.opened
        except RoomsUnavailable:
            del self._sessions[identity.session_id]
            raise

        session.note("created", room=identity.place.room, marker_hz=session.identity.marker_hz)
        return session

    def find(self, session_id: str) -> Session | None:
        """The session with this id, if the REST API still knows it."""
        return next((s for s in self.known() if s.identity.session_id == session_id), None)

    def known(self) -> list[Session]:
        """The sessions that the REST API knows, oldest first."""
        now = time.time()
        return [
            session
            for session in self._sessions.values()
            if session.state != "deleted"
            and (session.ended_at is None or now - session.ended_at < AFTERLIFE_SECONDS)
        ]

    def remembered(self) -> list[Session]:
        """All sessions that can be inspected, oldest first."""
        self._forget()
        return list(self._sessions.values())

    def is_open(self, room: str) -> bool:
        """Whether a room belongs to a session that lives."""
        return any(
            session.identity.place.room == room and not session.is_over
            for session in self._sessions.values()
        )

    async def _supervise(self, opening: _Opening) -> None:
        session = opening.session
        room = session.identity.place.room
        try:
            await self._life.live(session, opening.conversation, opening.opened)
            logger.info("emulated session over: %s", session.end_reason, extra={"room": room})
        except RoomsUnavailable as unavailable:
            self._fail(opening, unavailable)
        except Exception:  # whatever breaks a bot ends its own session and no other
            logger.exception("emulated session failed", extra={"room": room})
            self._fail(opening, RoomsUnavailable("The emulator's bot failed"))

    def _fail(self, opening: _Opening, reason: RoomsUnavailable) -> None:
        opening.session.end("failed")
        if not opening.opened.done():
            opening.opened.set_exception(reason)

    def _forget(self) -> None:
        too_old = time.time() - _MEMORY_SECONDS
        self._sessions = {
            session_id: session
            for session_id, session in self._sessions.items()
            if session.ended_at is None or session.ended_at > too_old
        }
