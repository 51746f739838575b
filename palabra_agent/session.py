"""A session that interprets one speaker, as its caller sees it: the brief, its events, the port.

`palabra/` implements it, `interpretation/` works with it, tests have a fake of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from palabra_agent.audio.frame import Frame, FrameSource
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import VoiceChoice

LONGEST_SPOKEN_TEXT: Final = 2048
"""Characters of one text that a session takes."""


@dataclass(frozen=True, slots=True)
class Brief:
    """The request to a Palabra session: one speaker's languages and voices."""

    source_language: LanguageCode
    """A source code, or `auto`."""
    targets: tuple[LanguageCode, ...]
    """Languages to interpret into, in the order of the room's offer."""
    voices: Mapping[LanguageCode, VoiceChoice] = field(
        default_factory=dict[LanguageCode, VoiceChoice]
    )
    """The voices that were chosen for the speaker, by target; the default where none was."""
    may_clone: bool = False
    """True where the speaker has agreed that their own voice is imitated. Without that it is not,
    whatever voices and settings say."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """Words that Palabra recognised or translated."""

    transcription_id: str
    """The utterance; the same for its partials, its final text and all its translations."""
    part: str
    """The part of a split utterance; empty where it is whole."""
    language: LanguageCode
    """Language of the text, the detected source or the target; empty where it is not known."""
    text: str
    """The whole text so far, not an addition."""
    is_final: bool
    is_translation: bool
    original: str = ""
    """The words that a translation translates, as far as they are known; else empty."""
    start_seconds: float | None = None
    """The begin of the words, since that of the session's sound; None where unknown."""
    end_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class InterpretationStarted:
    """A translated track is there to be listened to."""

    language: LanguageCode
    """As the caller named it; a transport says it as Palabra does, in any spelling."""
    source: FrameSource


@dataclass(frozen=True, slots=True)
class InterpretationEnded:
    """Nothing more comes on a translated track.

    What came before is still to be heard, also after the session has ended: it may have come faster
    than it is spoken. Its frames end by themselves once all of it was.
    """

    source: FrameSource


@dataclass(frozen=True, slots=True)
class UpdateRefused:
    """Palabra kept the running task because it refused its change."""

    sentence: str

    @property
    def in_our_words(self) -> str:
        """The sentence without anything that Palabra says, for the log."""
        return "Palabra refused a change of the settings"


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
        """The seconds for which it has been charged."""
        ...

    @property
    def queued_seconds(self) -> Mapping[LanguageCode, float]:
        """The speech that Palabra has still to speak, by language, as far as it told lately."""
        ...

    def write(self, frame: Frame) -> None:
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

    def speak(self, text: str, language: LanguageCode, *, translate: bool = False) -> None:
        """Speak a text in a target language, or translate it into all of them; never waits.

        Its translations are told, and are heard, as those of speech are.

        Args:
            text: At most `LONGEST_SPOKEN_TEXT` characters.
            language: Without `translate` one of the targets, else the language of the text.
            translate: True where the text is to be translated.

        Raises:
            ConfigError: The text or its language cannot be spoken, or too many texts wait already.
        """
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
