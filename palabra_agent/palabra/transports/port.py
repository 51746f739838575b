"""The port of a transport: a way for commands, voice, messages and sound, and its events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from palabra_agent.audio.frame import Frame
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import Message
from palabra_agent.session import InterpretationEnded, InterpretationStarted


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message from Palabra. Sound that comes as messages is not told here but on its track."""

    message: Message


@dataclass(frozen=True, slots=True)
class PeerArrived:
    """Palabra's side comes late, or again: it did not receive what was sent until now."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The connection is interrupted; it may come back by itself."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The connection was interrupted; messages may be missing."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone for good."""

    reason: str
    was_useless: bool = False
    """True where it was there and could not do what it is for; another transport may."""
    was_excessive: bool = False
    """True where we left because Palabra sent more than a session may."""


TransportEvent: TypeAlias = (
    MessageReceived
    | InterpretationStarted
    | InterpretationEnded
    | PeerArrived
    | Interrupted
    | Resumed
    | Disconnected
)


class Transport(Protocol):
    """A joined session."""

    async def wait_for_peer(self, seconds: float) -> bool:
        """Wait until Palabra's side is there to listen; False if it did not come in time."""
        ...

    async def send(self, frame: bytes) -> None:
        """Send a command reliably.

        Raises:
            SessionLost: It could not be sent in time.
        """
        ...

    @property
    def waiting_ms(self) -> float:
        """So much later than it could the next frame will leave, because of those before it."""
        ...

    async def write(self, frame: Frame) -> None:
        """Send a frame of the speaker's voice; dropped while Palabra does not listen."""
        ...

    async def flush(self) -> None:
        """Wait, a few seconds at most, until everything written is on its way to Palabra.

        A command that is sent then does not overtake it.
        """
        ...

    def set_listening(self, *, is_listening: bool) -> None:
        """Tell whether Palabra takes sound in now; not before its task runs, nor in a pause.

        While it listens, silence is sent wherever nothing is written.
        """
        ...

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Withdraw translated speech that came and is not heard yet; of all languages if empty."""
        ...

    def events(self) -> AsyncIterator[TransportEvent]:
        """Iterate over everything that happens, in order, from before the connection on."""
        ...
