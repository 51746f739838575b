"""The way into LiveKit's signalling when faults stand in it: refused, cut, or told to leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from palabra_emulator.faults.catalogue import SessionExpired, TokenRefused
from palabra_emulator.faults.injection import FaultInjector, SessionFaults
from palabra_emulator.journal import Journal

_SAY_SECONDS: Final = 1.0
_SERVER_SHUTDOWN: Final = bytes([0x42, 0x04, 0x10, 0x03, 0x18, 0x00])
"""A `SignalResponse` whose field 8, `leave`, has the reason (2) SERVER_SHUTDOWN and the action (3)
DISCONNECT: LiveKit's own server says it when it is stopped."""


@dataclass(frozen=True, slots=True)
class JoinRefusal:
    """The answer to a client that may not join."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class SignalConnection:
    """A client's signalling connection."""

    transport: asyncio.Transport | None
    say: Callable[[bytes], Awaitable[None]]
    """Says something to the client."""


class SignallingFaults:
    """The signalling of all sessions, as faults see it."""

    def __init__(
        self, injector: FaultInjector, faults_of: Callable[[str], SessionFaults | None]
    ) -> None:
        self._injector = injector
        self._faults_of = faults_of
        self._lines: dict[str, set[SignalConnection]] = {}

    def refusal(self, room: str) -> JoinRefusal | None:
        """The answer to the client of a room that may not join, if so."""
        faults = self._faults_of(room)
        if faults is None:
            return None

        expired = faults.kept(SessionExpired)
        if expired is not None and expired.status == 401:
            return JoinRefusal(401, "invalid token: the session has expired")
        refused = faults.trigger_once("join", TokenRefused)
        return JoinRefusal(401, refused.detail) if refused is not None else None

    def upgrade_refusal(self, faults: SessionFaults | None) -> int | None:
        """The status with which a WebSocket is refused, if it is; by an API key it has none yet."""
        if faults is None:
            refused = self._injector.trigger("join", None, TokenRefused)
        else:
            refused = faults.trigger_once("join", TokenRefused)
        return refused.ws_status if refused is not None else None

    async def reach(self, room: str) -> None:
        """Get no further while there is no network: a client that dials waits, none is refused."""
        faults = self._faults_of(room)
        if faults is not None:
            await asyncio.sleep(faults.cut_seconds)

    @contextmanager
    def line(self, room: str, line: SignalConnection) -> Generator[None]:
        """Have a connection here as long as it is open."""
        lines = self._lines.setdefault(room, set())
        lines.add(line)
        try:
            yield
        finally:
            lines.discard(line)
            if not lines:
                self._lines.pop(room, None)

    def cut(self, room: str) -> None:
        """Break the connections of a room without a word."""
        for line in self._lines.get(room, set()).copy():
            if line.transport is not None:
                line.transport.abort()

    async def shut_down(self, room: str) -> None:
        """Tell the client of a room that the server is going down."""
        for line in self._lines.get(room, set()).copy():
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(_SAY_SECONDS):
                    await line.say(_SERVER_SHUTDOWN)


def faultless_signalling() -> SignallingFaults:
    """Signalling that no fault ever stands in the way of."""
    return SignallingFaults(FaultInjector(Journal()), lambda _room: None)
