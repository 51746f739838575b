"""The meeting, as interpretation needs it: small Protocols and values.

`meeting/` implements them with LiveKit, tests with fakes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2s
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


TRACK_PREFIX: Final = "translation_"
"""The name of a channel's track begins with it."""


@dataclass(frozen=True, slots=True)
class ChannelKey:
    """Names a channel: a mix of interpretations into one language, which is one track."""

    language: LanguageCode
    speaker: str | None = None
    """Identity of the only speaker in it; None where it mixes all."""
    listener: str | None = None
    """Identity of the only listener, whose own voice it leaves out; None where it is for all."""

    @property
    def track_name(self) -> str:
        """The name of the track, as clients know it."""
        speaker = "" if self.speaker is None else f"@{self.speaker}"
        listener = "" if self.listener is None else f"/{self.listener}"
        return f"{TRACK_PREFIX}{self.language}{speaker}{listener}"

    def carries(self, speaker: str, language: LanguageCode) -> bool:
        """Tell whether a speaker's interpretation into a language is heard on the channel."""
        is_of_speaker = self.speaker is None or self.speaker == speaker
        return is_of_speaker and self.language == language and self.listener != speaker

    def __lt__(self, other: ChannelKey) -> bool:
        return self.track_name < other.track_name


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
    connection: str = ""
    """LiveKit's id of their connection; another one after they joined again."""
    is_phone: bool = False
    """True for a caller by telephone, who can choose no tracks."""
    listen_to: Mapping[str, str] = field(default_factory=dict[str, str])
    """The language that they want to hear single speakers in, by the speaker's identity; counts
    where each speaker has channels of their own."""
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

    @property
    def waiting_ms(self) -> float:
        """So much of what was written is not played yet."""
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
        """Unique per speaker, utterance, part and language: LiveKit's clients go by it alone.

        A later caption with the same id replaces it. The first part of a split utterance takes the
        place of its partials, which name no part.
        """
        said = self.transcript
        version = said.language if said.is_translation else "original"
        part = f".{said.part}" if said.part not in {"", "0"} else ""
        speaker = blake2s(self.speaker.encode(errors="replace"), digest_size=4).hexdigest()
        return f"{speaker}-{said.transcription_id}{part}-{version}"


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A final transcript, or the translation of a typed text, as a message for some people."""

    transcript: Transcript
    speaker: str
    """Identity of the person whose words these are."""
    recipients: tuple[str, ...]
    """Identities; never empty."""
    speaker_name: str
    is_typed: bool = False
    """True where the person typed them."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A chat message from the interpreter itself."""

    text: str
    recipients: tuple[str, ...] = ()
    """Identities; empty for all people."""


@dataclass(frozen=True, slots=True)
class SpeakerStatus:
    """How the interpretation of one speaker goes, as that speaker is told."""

    speaker: str
    """Identity of the speaker, who alone is told."""
    listeners: int = 0
    """The others who hear them interpreted."""
    lag_seconds: int = 0
    """The time since their last word while its interpretation goes on late; else 0."""
    seconds_left: int | None = None
    """The speech that waits at Palabra meanwhile; None where it does not tell."""

    @property
    def recipients(self) -> tuple[str, ...]:
        """Identity of the only reader."""
        return (self.speaker,)


RoomText: TypeAlias = Caption | ChatLine | Notice | SpeakerStatus
"""Everything that is written into the meeting."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A chat message that a person wrote."""

    sender: str
    """Identity, as LiveKit's server knows it."""
    text: str


class TextQueue(Protocol):
    """Texts on their way into the meeting."""

    def put(self, text: RoomText) -> None:
        """Queue a text; never waits. Sent in order, outdated captions and numbers left out."""
        ...

    def wrote(self, message: str) -> bool:
        """Tell whether a chat message repeats one of ours, as an app that mirrors chats may do."""
        ...


class Meeting(Protocol):
    """The meeting: who is there, and what we may put into it."""

    @property
    def texts(self) -> TextQueue:
        """Takes captions, chat lines, notices, and what speakers are told of themselves."""
        ...

    def views(self) -> AsyncIterator[MeetingView]:
        """Watch the meeting: the view now, then the newest after each change; ends with it."""
        ...

    def hearing_chat(
        self, on_message: Callable[[ChatMessage], None]
    ) -> AbstractAsyncContextManager[None]:
        """Be told each chat message that a person writes, for the length of a block."""
        ...

    def publish(self, name: str) -> AbstractAsyncContextManager[PublishedTrack]:
        """Publish an audio track for the length of a block; heard by those who are allowed it."""
        ...

    def allow(self, audiences: Mapping[str, frozenset[str]]) -> None:
        """Let people, by identity, receive tracks of ours, by name, and no others any; never waits.

        A track need not be there yet; for who comes late, rejoins, or is still there after a
        reconnect it holds as well. The newest wins.
        """
        ...

    def spare_microphones(self, phones: Collection[str]) -> None:
        """Keep all microphones from people, by identity, whose channel holds them; never waits."""
        ...

    def show(self, status: RoomStatus) -> None:
        """Show all people how the interpretation is doing; never waits, the newest wins."""
        ...
