"""The meeting, as interpretation needs it: small Protocols and values.

`meeting/` implements them with LiveKit, tests with fakes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from palabra_agent.audio.frame import FrameSource
from palabra_agent.audio.pcm import Pcm
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript


class Microphone(FrameSource, Protocol):
    """One subscribed microphone track; a republished or re-subscribed one is another object."""

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the track."""
        ...


class EncryptionProblem(StrEnum):
    """What end-to-end encryption puts between a speaker and the interpreter, as it is said."""

    NO_KEY = (
        "speakers who are end-to-end encrypted are not interpreted: the interpreter has no key to "
        "this meeting"
    )
    OTHER_KEY = (
        "a speaker is not interpreted: they are end-to-end encrypted with another key than the "
        "interpreter's"
    )
    NOT_ENCRYPTED = (
        "a speaker who is not end-to-end encrypted is interpreted, but can neither hear nor read "
        "interpretations, which are encrypted here"
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A human participant of the meeting, as last seen."""

    identity: str
    """Chosen by the participant's token, the same after a reconnect."""
    name: str
    """As it may stand beside their words: one short line; the identity where they have no name."""
    speak: str | None = None
    """The language that they say they speak, in their own spelling."""
    listen: str | None = None
    """The language that they say they want to hear, or `original`."""
    microphone: Microphone | None = None
    """Their subscribed microphone, muted or not."""
    is_muted: bool = False
    """True while that microphone is muted; says nothing where there is none."""
    encryption_problem: EncryptionProblem | None = None
    """What end-to-end encryption puts between them and the interpreter; None for nothing."""
    is_reachable: bool = True
    """False while they join: texts are not kept for them."""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """LiveKit's participant attributes, as they are."""


@dataclass(frozen=True, slots=True)
class MeetingView:
    """The meeting at one moment."""

    people: tuple[Person, ...] = ()
    """All who are there, interpreters and other agents left out."""
    observers: tuple[Person, ...] = ()
    """Those who are there and no people: agents, recorders, hidden participants as far as they are
    known."""
    is_connected: bool = True
    """False while LiveKit reconnects us: then absence means nothing."""

    def person(self, identity: str) -> Person | None:
        """Find a person by identity."""
        return next((person for person in self.people if person.identity == identity), None)


class RoomState(StrEnum):
    """Values of the attribute `palabra.state`."""

    STARTING = "starting"
    """Joined, not yet ready."""
    LIVE = "live"
    """Ready: the room is watched."""
    DEGRADED = "degraded"
    """Something wanted is not being interpreted right now."""
    FAILED = "failed"
    """Leaving."""


LONGEST_ERROR: Final = 2000
"""An error becomes an attribute, and LiveKit drops those that are too long without a word."""


@dataclass(frozen=True, slots=True)
class RoomStatus:
    """State of a room's interpretation, as all its people see it."""

    state: RoomState
    live: tuple[LanguageCode, ...] = ()
    """Languages whose channels are there now."""
    error: str = ""
    """The error, in a sentence; empty where there is none."""


class PublishedTrack(Protocol):
    """One of our audio tracks in the meeting."""

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now; a full reconnect changes it."""
        ...

    async def write(self, samples: Pcm) -> None:
        """Play a frame; returns at once unless more than the track's short queue waits."""
        ...


@dataclass(frozen=True, slots=True)
class Caption:
    """A transcript as a subtitle, partial or final, for some of the people."""

    transcript: Transcript
    speaker: str
    """Identity of the person whose words these are."""
    recipients: tuple[str, ...]
    """Identities; never empty."""
    track_sid: str
    """The track that it belongs to: microphone or channel; empty where that is gone."""

    @property
    def segment_id(self) -> str:
        """Unique per utterance, part and language; a later caption with the same id replaces it.

        The first part of a split utterance takes the place of its partials, which name no part.
        """
        said = self.transcript
        version = said.language if said.is_translation else "original"
        part = f".{said.part}" if said.part not in {"", "0"} else ""
        return f"{said.transcription_id}{part}-{version}"


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A final transcript as a chat message for some of the people."""

    transcript: Transcript
    speaker: str
    """Identity of the person whose words these are."""
    recipients: tuple[str, ...]
    """Identities; never empty."""
    speaker_name: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A chat message from the interpreter itself."""

    text: str
    recipients: tuple[str, ...] = ()
    """Identities; empty for all people."""


RoomText: TypeAlias = Caption | ChatLine | Notice
"""Everything that is written into the meeting."""


class TextQueue(Protocol):
    """Texts on their way into the meeting."""

    def put(self, text: RoomText) -> None:
        """Queue a text; never waits. Sent in order, outdated partial captions left out."""
        ...


class Meeting(Protocol):
    """The meeting: who is there, and what we may put into it."""

    @property
    def texts(self) -> TextQueue:
        """Takes captions, chat lines and notices."""
        ...

    def views(self) -> AsyncIterator[MeetingView]:
        """Watch the meeting: the view now, then the newest after each change; ends with it."""
        ...

    def publish(self, name: str) -> AbstractAsyncContextManager[PublishedTrack]:
        """Publish an audio track for the length of a block."""
        ...

    def show(self, status: RoomStatus) -> None:
        """Show all people how the interpretation is doing; never waits, the newest wins."""
        ...
