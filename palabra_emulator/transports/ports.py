"""The ports of a session: a way to its client, and rooms on a media server.

Everything else is decided without them. LiveKit stands behind rooms and behind one `Transport`, a
client's WebSocket behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from palabra_agent.audio.pcm import Pcm

TransportKind: TypeAlias = Literal["webrtc", "ws"]

DONE: Final = 1000
"""A WebSocket's close code: everything was said."""
GOING_AWAY: Final = 1001
"""The server stops."""
REFUSED: Final = 1008
"""The client did what it must not do."""
CUT: Final = 1006
"""No word at all: the connection is lost."""
FAILED: Final = 1011
"""The server broke down."""


class RoomsUnavailable(Exception):
    """The media server cannot be used; the sentence says why."""


class TransportLost(Exception):
    """The way to the client broke down."""


@dataclass(frozen=True, slots=True)
class RoomNames:
    """The names of a session's room and of the two participants in it."""

    room: str
    bot: str
    """Identity of the emulator's own participant."""
    client: str
    """Identity of the participant whose sound is interpreted."""


@dataclass(frozen=True, slots=True)
class ClientJoined:
    """The client is there, for the first time or again."""


@dataclass(frozen=True, slots=True)
class ClientLeft:
    """The client is gone, perhaps only for a moment."""


@dataclass(frozen=True, slots=True)
class Packet:
    """The client said something."""

    payload: bytes
    is_reliable: bool = True


TransportEvent: TypeAlias = ClientJoined | ClientLeft | Packet


class ClientTransport(Protocol):
    """The way to one client. Every method has a deadline of its own."""

    async def next_event(self) -> TransportEvent:
        """Wait for what the client does next.

        Raises:
            TransportLost: There is no way to the client any more.
        """
        ...

    async def listen(self, hear: Callable[[Pcm], None], /) -> None:
        """Hear the client's sound, `HEARING_RATE` mono, for ever; sound in messages is packets."""
        ...

    async def has_input(self) -> bool:
        """True if sound, silence included, has arrived since the last question."""
        ...

    async def send(self, payload: bytes, /) -> None:
        """Say something to the client."""
        ...

    async def offer(self, languages: Sequence[str], /, *, anew: bool) -> None:
        """Have exactly these languages to be heard; `anew` recreates those that stay."""
        ...

    async def play(self, language: str, pcm: Pcm, /) -> None:
        """Let speech be heard, `SPEECH_RATE` mono, after what was given before."""
        ...

    def hush(self, language: str, /) -> None:
        """Withdraw the speech that was given and is not heard yet."""
        ...

    async def expel_client(self, code: int = DONE, /) -> None:
        """End the client's connection, if it is still there; only a WebSocket can say why."""
        ...


OpenTransport: TypeAlias = Callable[[RoomNames], AbstractAsyncContextManager[ClientTransport]]
"""Opens the way to a session's client; raises `RoomsUnavailable` where that is impossible."""


class Rooms(Protocol):
    """The rooms of a media server."""

    async def create(self, room: str, /) -> None:
        """Make a room that no other agent enters.

        Raises:
            RoomsUnavailable: The server refused or did not answer.
        """
        ...

    async def delete(self, room: str, /) -> None:
        """Close a room with all that are in it; a room that is gone already is no failure."""
        ...

    async def expel(self, room: str, identity: str, /) -> None:
        """Put a participant out; one who is gone already is no failure."""
        ...

    def admit(self, room: str, identity: str, /, *, may_publish: bool) -> str:
        """Make the token with which a participant enters."""
        ...
