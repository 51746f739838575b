"""A speaker's transcripts as captions and chat lines, each person one version, in their language.

A person gets the translation into the language that they listen to, where there is one, else the
original.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Final

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.caption_history import CaptionHistory
from palabra_agent.interpretation.ports import Caption, ChatLine, MeetingView, Person, TextQueue
from palabra_agent.interpretation.settings import ChatAudience, InterpretationSettings, Regime
from palabra_agent.interpretation.utterance_versions import Version, reads_caption, version_for
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief, Transcript
from palabra_agent.texts import shown_name

_REMEMBERED: Final = 50
"""Utterances, each with a decision for each reader: more than are under way at a time."""
_PATTERN: Final = frozenset("*?[")
_UNKNOWN: Final = LanguageCode("")


class TranscriptWriter:
    """Writes one speaker's transcripts, across all Palabra sessions that they have."""

    def __init__(
        self,
        speaker: str,
        texts: TextQueue,
        settings: Watched[InterpretationSettings],
        channel_sid: Callable[[LanguageCode], str],
        history: CaptionHistory,
    ) -> None:
        """Make a writer.

        Args:
            speaker: The speaker's identity.
            texts: Where captions and chat lines go.
            settings: The room's languages, and what is written, at any time.
            channel_sid: Tells the track of a language's channel, or an empty string.
            history: Keeps what was said for those who come later.
        """
        self._speaker = speaker
        self._texts = texts
        self._settings = settings
        self._channel_sid = channel_sid
        self._history = history
        self._last_seen = Person(speaker, shown_name("", speaker))
        self._audience = Audience(speaker)

    def write(self, transcript: Transcript, view: MeetingView, brief: Brief | None) -> None:
        """Send a transcript to the people whose version of the utterance it is."""
        # their words may come when they are gone
        self._last_seen = view.person(self._speaker) or self._last_seen
        rules, regime = self._settings.value.rules, self._settings.value.regime
        translated = brief if rules.translations else None
        observers = observers_reading(view, rules.also_to)
        readers = replace(view, people=(*view.people, *observers))
        recipients = self._audience.recipients(transcript, readers, translated, regime)
        if rules.captions:
            targets = translated.targets if translated is not None else ()
            self._caption(transcript, readers, recipients, targets, partials=rules.partials)

        if rules.chat and transcript.is_final:
            people = {person.identity for person in view.people}
            by_language = tuple(identity for identity in recipients if identity in people)
            chatting = chat_recipients(rules.audience, transcript, by_language, view)
            if chatting:
                name = self._last_seen.name
                self._texts.put(ChatLine(transcript, self._speaker, chatting, name))

    def _caption(
        self,
        transcript: Transcript,
        readers: MeetingView,
        recipients: tuple[str, ...],
        targets: tuple[LanguageCode, ...],
        *,
        partials: bool,
    ) -> None:
        track_sid = self._track_sid(transcript)
        if transcript.is_final:
            self._history.keep(transcript, self._speaker, track_sid, targets)
        reading = caption_readers(transcript, readers, recipients)
        if reading and (transcript.is_final or partials):
            self._texts.put(Caption(transcript, self._speaker, reading, track_sid))

    def _track_sid(self, transcript: Transcript) -> str:
        if transcript.is_translation:
            return self._channel_sid(transcript.language)

        microphone = self._last_seen.microphone
        return microphone.track_sid if microphone is not None else ""


@dataclass(slots=True)
class _Utterance:
    spoken: LanguageCode = _UNKNOWN
    """Language of the original; foreign to all people until it is known."""
    decided: dict[str, Version] = field(default_factory=dict[str, Version])


class Audience:
    """Remembers who gets which version of each utterance of one speaker.

    The decision falls when the original is final, and stands: a person who changes their language
    between the original and its translation gets neither two versions nor none.
    """

    def __init__(self, speaker: str) -> None:
        self._speaker = speaker
        self._utterances: OrderedDict[str, _Utterance] = OrderedDict()

    def recipients(
        self, transcript: Transcript, view: MeetingView, brief: Brief | None, regime: Regime
    ) -> tuple[str, ...]:
        """Identities of those who get a transcript as their version of the utterance."""
        utterance = self._remember(transcript)
        versions = {
            person.identity: utterance.decided[person.identity]
            if person.identity in utterance.decided
            else version_for(
                person,
                speaker=self._speaker,
                spoken=utterance.spoken,
                targets=brief.targets if brief is not None else (),
                regime=regime,
            )
            for person in view.people
        }
        if transcript.is_final:
            utterance.decided |= versions

        version = transcript.language if transcript.is_translation else None
        return tuple(identity for identity, theirs in versions.items() if theirs == version)

    def _remember(self, transcript: Transcript) -> _Utterance:
        utterance = self._utterances.setdefault(transcript.transcription_id, _Utterance())
        if not transcript.is_translation:
            utterance.spoken = transcript.language

        if len(self._utterances) > _REMEMBERED:
            self._utterances.popitem(last=False)

        return utterance


def observers_reading(view: MeetingView, also_to: Sequence[str]) -> tuple[Person, ...]:
    """Find those who read captions although they are no people.

    A hidden participant may be there without being known: one that is named in full is written to.

    Args:
        view: The meeting.
        also_to: The room config's `captions.also_to`: identities, and patterns of them.
    """
    seen = [it for it in view.observers if any(fnmatchcase(it.identity, one) for one in also_to)]
    known = {person.identity for person in (*view.people, *view.observers)}
    named = [one for one in also_to if one not in known and not is_pattern(one)]
    return (*seen, *(Person(identity, identity) for identity in named))


def is_pattern(identity: str) -> bool:
    """Tell whether what may be an identity stands for many."""
    return not _PATTERN.isdisjoint(identity)


def caption_readers(
    transcript: Transcript, view: MeetingView, recipients: tuple[str, ...]
) -> tuple[str, ...]:
    """Identities of those who get a transcript as a caption.

    Args:
        transcript: What was said.
        view: All who may read it.
        recipients: Those whose version it is.
    """
    theirs, is_translation = frozenset(recipients), transcript.is_translation
    return tuple(
        person.identity
        for person in view.people
        if reads_caption(person, is_theirs=person.identity in theirs, is_translation=is_translation)
    )


def chat_recipients(
    audience: ChatAudience, transcript: Transcript, by_language: tuple[str, ...], view: MeetingView
) -> tuple[str, ...]:
    """Identities of those who get a final transcript in the chat.

    Args:
        audience: The room config's `chat.audience`.
        transcript: What was said.
        by_language: Those who get it as their version.
        view: The meeting.
    """
    everyone = tuple(person.identity for person in view.people)
    match audience:
        case "language":
            return by_language
        case "everyone":
            return everyone
        case "none":
            return ()
        case "original":
            return () if transcript.is_translation else everyone
