"""Palabra sessions as the interpretation wants them: opened with a brief, ended on every exit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final, Literal, TypeAlias

from palabra_agent.concurrency import complete_or_undo, finish_despite_cancellation, single_failure
from palabra_agent.errors import ApiError, PalabraError, SessionLost, Unreachable
from palabra_agent.palabra.protocol.commands import Task
from palabra_agent.palabra.protocol.task_state import (
    DEADLINE_SECONDS,
    SessionState,
    Signal,
    TaskState,
)
from palabra_agent.palabra.rest.api import PalabraApi, SessionTicket
from palabra_agent.palabra.session.session import END_SECONDS, PalabraSession
from palabra_agent.palabra.session_settings import (
    Join,
    JoinMaker,
    SessionSettings,
    TaskBuilder,
    make_joins,
    make_task,
    queue_limits,
)
from palabra_agent.palabra.transports.port import Transport
from palabra_agent.palabra.vocabulary import STREAM_TYPES, TransportKind
from palabra_agent.session import Brief

_DELETE_SECONDS: Final = 1.4
"""Together with the leaving between them under the 2.5 s that a job has to end."""
_DELETION_SECONDS: Final = _DELETE_SECONDS - 0.1
"""Leaves time to say that it did not come to pass."""
_REFUSED_TOKEN: Final = frozenset({401, 403})

TransportWish: TypeAlias = Literal["webrtc", "websocket", "auto"]

logger = logging.getLogger(__name__)


class TransportChoice:
    """The transport of a room's next sessions.

    It begins with WebRTC where it may choose, and changes to WebSocket once, for good: what keeps
    WebRTC from working, such as a network without UDP, does not go away by itself.
    """

    def __init__(self, wish: TransportWish) -> None:
        self._is_free = wish == "auto"
        self.kind: TransportKind = "websocket" if wish == "websocket" else "webrtc"
        """Used by the next session."""

    @property
    def may_change(self) -> bool:
        """True where a session that does not work may be replaced by one on the other transport."""
        return self._is_free and self.kind == "webrtc"

    def give_up(self, kind: TransportKind) -> bool:
        """Take note that a session on a transport was no use; return whether that changes it."""
        if not self.may_change or kind != self.kind:
            return False

        self.kind = "websocket"
        return True


class PalabraSessions:
    """Opens sessions for one room's settings, which may change meanwhile."""

    def __init__(
        self,
        api: PalabraApi,
        settings: SessionSettings | None = None,
        *,
        make_task: TaskBuilder = make_task,
        make_joins: JoinMaker = make_joins,
    ) -> None:
        """Prepare to open sessions.

        Args:
            api: Palabra's REST API, with credentials.
            settings: Hold for all of them.
            make_task: Makes their tasks.
            make_joins: Makes the ways into them.
        """
        self.settings = settings or SessionSettings()
        """The settings that hold now."""
        self.choice = TransportChoice(self.settings.task.transport)
        """The transport of the next session."""
        self._api = api
        self._make_task = make_task
        self._make_joins = make_joins
        self._limits = dict(queue_limits(self.settings.task))
        """Read by open sessions, too."""

    def follow(self, settings: SessionSettings) -> None:
        """Have other settings from now on; sessions that are open learn of them with `rebrief`.

        The transport, its formats, speech or none, and silence limits hold for sessions that are
        opened from now on.
        """
        if settings.task.transport != self.settings.task.transport:
            self.choice = TransportChoice(settings.task.transport)

        self.settings = settings
        self._limits.clear()
        self._limits.update(queue_limits(settings.task))

    @asynccontextmanager
    async def open(self, brief: Brief) -> AsyncGenerator[PalabraSession]:
        """Hold a session for the length of a block; it is ended and deleted on every exit.

        Raises:
            PalabraError: It could not be opened; `retryable` says whether to try again.
        """
        state, kind, opened = TaskState(), self.choice.kind, self.settings
        join = self._make_joins(opened, self._limits)[kind]
        state.follow(Signal.WANTED)
        with single_failure():
            async with (
                self._joined(join, kind, state) as transport,
                self._running(transport, kind, opened, state) as session,
            ):
                session.rebrief(brief)
                await session.until_ready()
                logger.info("palabra session opened", extra={"transport": kind})
                yield session

    def note_useless(self, kind: TransportKind) -> None:
        """Learn that a session was connected and of no use: on another transport it may be."""
        if self.choice.give_up(kind):
            logger.warning("webrtc was of no use, sessions use websocket from now on")

    @asynccontextmanager
    async def _joined(
        self, join: Join, kind: TransportKind, state: TaskState
    ) -> AsyncGenerator[Transport]:
        """Have a session joined; one whose token is not taken is replaced by another, once."""
        async with AsyncExitStack() as first:
            ticket = await first.enter_async_context(self._created(kind))
            state.follow(Signal.CREATED)
            try:
                transport = await first.enter_async_context(self._join(join, ticket, kind))
            except ApiError as error:
                if error.status not in _REFUSED_TOKEN:
                    raise
                logger.warning("a session's token was refused, another session is tried")
            else:
                yield transport
                return

        async with self._created(kind) as ticket, self._join(join, ticket, kind) as transport:
            yield transport

    @asynccontextmanager
    async def _created(self, kind: TransportKind) -> AsyncGenerator[SessionTicket]:
        seconds = DEADLINE_SECONDS[SessionState.CREATING]
        try:
            async with asyncio.timeout(seconds):
                ticket = await complete_or_undo(
                    self._api.create_session(STREAM_TYPES[kind]),
                    grace_seconds=_DELETE_SECONDS,
                    undo=self._delete,
                )
        except TimeoutError:
            raise SessionLost(f"it was not created within {seconds:g} s") from None

        try:
            yield ticket
        finally:
            await finish_despite_cancellation(self._delete(ticket), seconds=_DELETE_SECONDS)

    @asynccontextmanager
    async def _join(
        self, join: Join, ticket: SessionTicket, kind: TransportKind
    ) -> AsyncGenerator[Transport]:
        """Join a session; a way in that does not work counts as useless, whatever is wrong."""
        seconds = DEADLINE_SECONDS[SessionState.CONNECTING]
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(seconds):
                    transport = await stack.enter_async_context(join(ticket))
            except TimeoutError:
                self.note_useless(kind)
                raise SessionLost(f"it could not be joined within {seconds:g} s") from None
            except (Unreachable, SessionLost):
                self.note_useless(kind)
                raise

            yield transport

    @asynccontextmanager
    async def _running(
        self, transport: Transport, kind: TransportKind, opened: SessionSettings, state: TaskState
    ) -> AsyncGenerator[PalabraSession]:
        """Run a session, with its task, for the length of a block."""
        state.follow(Signal.CONNECTED)
        await self._await_peer(transport, kind)
        state.follow(Signal.PEER_EXPECTED)
        async with asyncio.TaskGroup() as group:
            session = PalabraSession(
                transport,
                partial(self._task, kind, opened),
                limits=opened.silence_limits,
                state=state,
                on_useless=partial(self.note_useless, kind),
            )
            running = group.create_task(session.run(), name="session")
            try:
                yield session
            finally:
                running.cancel()
                await finish_despite_cancellation(session.end(), seconds=END_SECONDS)

    async def _await_peer(self, transport: Transport, kind: TransportKind) -> None:
        """Wait for Palabra's side; one that is late is told all the same what we want."""
        if await transport.wait_for_peer(DEADLINE_SECONDS[SessionState.WAITING_PEER]):
            return

        if self.choice.may_change:
            self.note_useless(kind)
            raise SessionLost("Palabra's bot did not come")

        logger.warning("palabra's bot is late")

    def _task(self, kind: TransportKind, opened: SessionSettings, brief: Brief) -> Task:
        return self._make_task(self.settings.for_session_of(opened), brief, kind)

    async def _delete(self, ticket: SessionTicket) -> None:
        try:
            async with asyncio.timeout(_DELETION_SECONDS):
                await self._api.delete_session(ticket.id)
            logger.info("palabra session deleted")
        except (TimeoutError, PalabraError) as error:
            # it ends by itself a minute after we left it
            reason = error.in_our_words if isinstance(error, PalabraError) else "no answer in time"
            logger.warning("a palabra session was not deleted", extra={"reason": reason})
