"""What interpreting needs from outside, as small Protocols: the meeting and Palabra sessions.

`meeting/` implements the floor with LiveKit, `palabra/` the sessions, tests both with fakes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias

from palabra_agent.audio.pcm import Pcm
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import VoiceChoice


class FrameSource(Protocol):
    """Something that can be listened to, such as a microphone or a translated track."""

    def open_frames(self) -> AbstractAsyncContextManager[AsyncIterator[Pcm]]:
        """Listen: yields frames in real time until the sound ends; closed on exit."""
        ...


class Microphone(FrameSource, Protocol):
    """One subscribed microphone track; a republished or re-subscribed one is another object."""

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the track."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A human participant of the meeting, as last seen."""

    identity: str
    """Chosen by the participant's token, the same after a reconnect."""
    name: str
    """What the others call them; the identity where they have no name."""
    speak: str | None = None
    """The language that they say they speak, in their own spelling."""
    listen: str | None = None
    """The language that they say they want to hear, or `original`."""
    microphone: Microphone | None = None
    """Their subscribed microphone, muted or not."""
    is_muted: bool = False
    """Whether that microphone is muted; says nothing where there is none."""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """LiveKit's participant attributes, as they are."""


@dataclass(frozen=True, slots=True)
class FloorView:
    """The meeting at one moment."""

    people: tuple[Person, ...] = ()
    """Everybody who is there, interpreters and other agents left out."""
    is_connected: bool = True
    """False while LiveKit reconnects us: then absence means nothing."""

    def person(self, identity: str) -> Person | None:
        """Find somebody by identity."""
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


@dataclass(frozen=True, slots=True)
class Condition:
    """How the interpretation of a room is doing, for everybody to see."""

    state: RoomState
    live: tuple[LanguageCode, ...] = ()
    """Languages whose channels are there now."""
    error: str = ""
    """What is wrong, in a sentence; empty where nothing is."""


class PublishedTrack(Protocol):
    """One of our audio tracks in the meeting."""

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now; a full reconnect changes it."""
        ...

    async def write(self, frame: Pcm) -> None:
        """Play a frame; returns at once unless more than the track's short queue waits."""
        ...


@dataclass(frozen=True, slots=True)
class Caption:
    """A subtitle, partial or final, for some of the people."""

    speaker: str
    """Identity of the person whose words these are."""
    segment_id: str
    """Unique per utterance, part and language; a later caption with the same id replaces it."""
    language: LanguageCode
    text: str
    is_final: bool
    is_translation: bool
    track_sid: str
    """The track that it belongs to: microphone or channel; empty where that is gone."""
    recipients: Collection[str]
    """Identities; never empty."""


@dataclass(frozen=True, slots=True)
class ChatLine:
    """A final utterance as a chat message for some of the people."""

    speaker: str
    """Identity of the person whose words these are."""
    speaker_name: str
    transcription_id: str
    language: LanguageCode
    text: str
    is_translation: bool
    recipients: Collection[str]
    """Identities; never empty."""


class Floor(Protocol):
    """The meeting: who is there, and what we may put into it."""

    def views(self) -> AsyncIterator[FloorView]:
        """Watch the meeting: the view now, then the newest after each change; ends with it."""
        ...

    def publish(self, name: str) -> AbstractAsyncContextManager[PublishedTrack]:
        """Publish an audio track for the length of a block."""
        ...

    def deliver(self, item: Caption | ChatLine) -> None:
        """Queue a caption or chat line; never waits. Sent in order, outdated partials left out."""
        ...

    def announce(self, sentence: str) -> None:
        """Queue a chat message from the interpreter itself to everybody."""
        ...

    def show(self, condition: Condition) -> None:
        """Let everybody see how the interpretation is doing; never waits, the newest wins."""
        ...


@dataclass(frozen=True, slots=True)
class Brief:
    """What a Palabra session is asked to do for one speaker."""

    source_language: LanguageCode
    """A source code, or `auto`."""
    targets: tuple[LanguageCode, ...]
    """Languages to interpret into, in the order of the room's offer."""
    voices: Mapping[LanguageCode, VoiceChoice] = field(
        default_factory=dict[LanguageCode, VoiceChoice]
    )
    """The voices that were chosen for the speaker, by target; the default where none was."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words that Palabra recognised or translated."""

    transcription_id: str
    """The utterance; the same for its partials, its final text and all its translations."""
    part: str
    """Which part of a split utterance; empty where it is whole."""
    language: LanguageCode
    """Language of the text: the detected source, or the target; empty where nobody says it."""
    text: str
    """The whole text so far, not an addition."""
    is_final: bool
    is_translation: bool
    original: str = ""
    """The words that a translation translates, as far as they are known; else empty."""
    start_seconds: float | None = None
    """When the words began, since the beginning of the session's sound; None where unknown."""
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class InterpretationStarted:
    """A translated track is there to be listened to."""

    language: LanguageCode
    source: FrameSource


@dataclass(frozen=True, slots=True)
class InterpretationEnded:
    """Nothing more comes on a translated track.

    What came before is still to be heard, also after the session has ended; then its frames end by
    themselves.
    """

    source: FrameSource


@dataclass(frozen=True, slots=True)
class UpdateRefused:
    """Palabra kept the running task because it refused its change."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BriefFollowed:
    """Palabra does what it was asked to last."""


@dataclass(frozen=True, slots=True)
class VoiceMissing:
    """Palabra does not have a voice that it was asked for, and speaks with its default instead."""

    voice_id: str


@dataclass(frozen=True, slots=True)
class FellSilent:
    """Nothing at all comes, for too long: another session may do better."""


@dataclass(frozen=True, slots=True)
class SpokeAgain:
    """After it fell silent, the session answers after all."""


SessionEvent: TypeAlias = (
    Transcript
    | InterpretationStarted
    | InterpretationEnded
    | BriefFollowed
    | UpdateRefused
    | VoiceMissing
    | FellSilent
    | SpokeAgain
)


class Session(Protocol):
    """One Palabra session that is ready."""

    @property
    def billed_seconds(self) -> float:
        """For how long it has been charged."""
        ...

    def write(self, frame: Pcm) -> None:
        """Send a frame of the speaker's voice, in real time; never waits.

        Silence need not be written, but may be.
        """
        ...

    def mute(self, *, is_muted: bool) -> None:
        """Tell whether the speaker has muted themselves."""
        ...

    def rebrief(self, brief: Brief) -> None:
        """Ask for something else from now on; never waits, the last brief wins."""
        ...

    def events(self) -> AsyncIterator[SessionEvent]:
        """Everything that the session tells, in order; ends where we asked it to end.

        Raises:
            SessionLost: The session ended without us asking for it.
        """
        ...


class SessionOpener(Protocol):
    """Opens Palabra sessions."""

    def __call__(self, brief: Brief) -> AbstractAsyncContextManager[Session]:
        """Hold a session for the length of a block; it is ended and deleted on every exit.

        Raises:
            PalabraError: It could not be opened; `retryable` says whether to try again.
        """
        ...
