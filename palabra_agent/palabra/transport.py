"""What a session needs from a transport: a way for commands, voice, messages and sound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from palabra_agent.audio.pcm import Pcm
from palabra_agent.interpretation.ports import FrameSource


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """A message came; not read yet."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class TrackStarted:
    """Translated sound can be listened to."""

    language: str
    """As the transport names it, in any spelling."""
    source: FrameSource


@dataclass(frozen=True, slots=True)
class TrackEnded:
    """Translated sound is gone."""

    source: FrameSource


@dataclass(frozen=True, slots=True)
class PeerArrived:
    """Palabra's side was not there before: what was said until now it did not hear."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The connection was interrupted; messages may be missing."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone for good."""

    reason: str


TransportEvent: TypeAlias = (
    FrameReceived | TrackStarted | TrackEnded | PeerArrived | Resumed | Disconnected
)


class Transport(Protocol):
    """A joined session."""

    async def send(self, frame: bytes) -> None:
        """Send a command reliably.

        Raises:
            SessionLost: It could not be sent in time.
        """
        ...

    async def write(self, frame: Pcm) -> None:
        """Send a frame of the speaker's voice."""
        ...

    def events(self) -> AsyncIterator[TransportEvent]:
        """Everything that happens, in order, from before the connection on."""
        ...
