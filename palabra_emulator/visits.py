"""The ways by which one session's client comes, one after the other; the newest is the one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from palabra_emulator.ports import Transport, TransportKind


@dataclass(frozen=True, slots=True)
class Visit:
    """A client that comes by one transport, until the session is over or a newer visit begins."""

    transport: Transport
    kind: TransportKind
    replaced: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a newer visit has taken this one's place."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nobody serves it any more."""
    after: asyncio.Event | None = None
    """The end of the visit whose place it has taken."""


class Visits:
    """Who visits a session; whoever runs it waits here for the next."""

    def __init__(self, *, begins_in_room: bool) -> None:
        self.begins_in_room = begins_in_room
        """Whether a bot waits for the client in a room."""
        self._newest: Visit | None = None
        self._announced: asyncio.Queue[Visit | None] = asyncio.Queue()
        self._is_closed = False

    @property
    def are_in_room(self) -> bool:
        """Whether the client is met in a room, as yet."""
        return self.begins_in_room and not self.have_moved

    @property
    def have_moved(self) -> bool:
        """Whether the client has come by WebSocket, so that no room is needed any more."""
        return self._newest is not None and self._newest.kind == "ws"

    def begin(self, transport: Transport, kind: TransportKind) -> Visit:
        """Have a new visit take the place of the one under way."""
        previous = self._newest
        visit = Visit(transport, kind, after=previous.over if previous is not None else None)
        if previous is not None:
            previous.replaced.set()
        self._newest = visit
        return visit

    def announce(self, transport: Transport) -> bool:
        """Have a client at the door that came by WebSocket; false where nobody opens any more."""
        if self._is_closed:
            return False

        self._announced.put_nowait(self.begin(transport, "ws"))
        return True

    async def next(self) -> Visit | None:
        """Wait for the next client at the door; nothing when there will be none."""
        return await self._announced.get()

    def close(self) -> list[Visit]:
        """Let nobody in any more; returns those who still wait at the door."""
        self._is_closed = True
        left: list[Visit] = []
        while not self._announced.empty():
            visit = self._announced.get_nowait()
            if visit is not None:
                left.append(visit)

        self._announced.put_nowait(None)
        return left
