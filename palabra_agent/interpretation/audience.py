"""Which version of an utterance each person gets: one, in their language where there is one."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from palabra_agent.interpretation.plan import Regime, listening_language_of
from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.languages import LanguageCode, same_language
from palabra_agent.session import Brief, Transcript

ChatAudience: TypeAlias = Literal["language", "everyone", "original"]
"""Who gets a chat line: those who want its language, all of them everybody, or the original all."""

Version: TypeAlias = LanguageCode | None
"""A target language, or None for the original."""

_REMEMBERED: Final = 500
_UNKNOWN: Final = LanguageCode("")


def version_for(
    person: Person, *, speaker: str, spoken: LanguageCode, brief: Brief | None, regime: Regime
) -> Version:
    """Decide which version of an utterance a person gets.

    Args:
        person: Who reads or hears it.
        speaker: Identity of who said it; they always get their own words.
        spoken: Language of the original.
        brief: What the speaker is interpreted into right now.
        regime: The room's languages.
    """
    wanted = listening_language_of(person, regime)
    if wanted is None or person.identity == speaker or same_language(wanted, spoken):
        return None

    return wanted if brief is not None and wanted in brief.targets else None


@dataclass(slots=True)
class _Utterance:
    spoken: LanguageCode = _UNKNOWN
    """Language of the original; foreign to everybody until it is known."""
    decided: dict[str, Version] = field(default_factory=dict[str, Version])


class Audience:
    """Remembers who gets which version of each utterance of one speaker.

    The decision falls when the original is final, and stands: somebody who changes their language
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
                brief=brief,
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


def chat_recipients(
    audience: ChatAudience, transcript: Transcript, by_language: tuple[str, ...], view: MeetingView
) -> tuple[str, ...]:
    """Identities of those who get a final transcript in the chat.

    Args:
        audience: The room config's `chat.audience`.
        transcript: What was said.
        by_language: Who gets it as their version.
        view: Who is there.
    """
    everybody = tuple(person.identity for person in view.people)
    match audience:
        case "language":
            return by_language
        case "everyone":
            return everybody
        case "original":
            return () if transcript.is_translation else everybody
