"""Stand-ins for the media server and for the way to a client, and an emulator made of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.server import RunningEmulator, run_emulator_in
from palabra_emulator.transports.ports import (
    DONE,
    RoomNames,
    RoomsUnavailable,
    TransportEvent,
    TransportLost,
)
from tests.palabra_emulator.client import decoded

OPTIONS: Final = EmulatorOptions(
    livekit_url="ws://127.0.0.1:1",
    livekit_api_key="key",
    livekit_api_secret="a secret of more than 32 characters",
    port=0,
    duplicate_validated=0.0,
)


class FakeRooms:
    """Rooms without a server; `refusal` makes the next ones impossible."""

    def __init__(self) -> None:
        self.open: set[str] = set()
        self.expelled: list[str] = []
        self.refusal: str | None = None

    async def create(self, room: str, /) -> None:
        """Make a room."""
        if self.refusal is not None:
            raise RoomsUnavailable(self.refusal)

        self.open.add(room)

    async def delete(self, room: str, /) -> None:
        """Close a room."""
        self.open.discard(room)

    async def expel(self, room: str, identity: str, /) -> None:
        """Put a participant out."""
        self.expelled.append(f"{room}/{identity}")

    def admit(self, room: str, identity: str, /, *, may_publish: bool) -> str:
        """Make a token that can be read."""
        return f"{room}/{identity}/{'publish' if may_publish else 'listen'}"


class FakeTransport:
    """A way to a client that the test plays."""

    def __init__(self, names: RoomNames) -> None:
        self.names = names
        self.events: asyncio.Queue[TransportEvent | Exception] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.offered: list[tuple[str, ...]] = []
        self.anew: list[bool] = []
        self.played: dict[str, int] = {}
        self.is_expelled = False
        self.is_closed = False

    async def next_event(self) -> TransportEvent:
        """What the test has put in."""
        event = await self.events.get()
        if isinstance(event, Exception):
            raise event

        return event

    async def listen(self, hear: Callable[[Pcm], None], /) -> None:
        """Hear nothing."""
        await asyncio.Event().wait()

    async def has_input(self) -> bool:
        """There is input."""
        return True

    async def send(self, payload: bytes, /) -> None:
        """Keep a message."""
        self.sent.append(decoded(payload))

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Keep the offer."""
        self.offered.append(tuple(languages))
        self.anew.append(anew)

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Count the samples."""
        self.played[language] = self.played.get(language, 0) + pcm.size

    def hush(self, language: str, /) -> None:
        """Forget the samples."""
        self.played[language] = 0

    async def expel_client(self, _code: int = DONE, /) -> None:
        """Note it."""
        self.is_expelled = True

    def lose(self) -> None:
        """Break the way to the client."""
        self.events.put_nowait(TransportLost("broken by the test"))


class FakeLiveKit:
    """Rooms and transports of one emulator."""

    def __init__(self) -> None:
        self.rooms = FakeRooms()
        self.transports: list[FakeTransport] = []

    @asynccontextmanager
    async def open_transport(self, names: RoomNames) -> AsyncGenerator[FakeTransport]:
        """Open a transport that the test can find."""
        transport = FakeTransport(names)
        self.transports.append(transport)
        try:
            yield transport
        finally:
            transport.is_closed = True


@asynccontextmanager
async def fake_emulator(
    livekit: FakeLiveKit, options: EmulatorOptions = OPTIONS
) -> AsyncGenerator[RunningEmulator]:
    """Run an emulator without a media server."""
    async with run_emulator_in(options, livekit.rooms, livekit.open_transport) as emulator:
        yield emulator


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
