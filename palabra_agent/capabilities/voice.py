"""Voice policies choose the voice in which a speaker is heard in a language; the first choice wins.

A voice that Palabra said it does not have counts as passed, whichever plugin insists on it, and so
does that of a speaker who has not agreed to be cloned.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias, cast, runtime_checkable

from palabra_agent.capabilities.capability import FirstAnswer, Passed, WrongAnswer, a_kind_of
from palabra_agent.languages import LanguageCode
from palabra_agent.texts import one_line
from palabra_agent.voices import (
    NOT_AGREED,
    ClonedVoice,
    FixedVoice,
    Speaker,
    TimbreMatchedVoice,
    VoiceChoice,
    voice_ids,
)

_LONGEST_REASON: Final = 200

NO_REASON: Final = "passed"
"""Told where a plugin gave no reason, or one that is not for all to know."""

VoiceAnswer: TypeAlias = VoiceChoice | Passed | None
"""A voice; or None, or `Passed` with a reason, to leave the choice to the next plugin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRequest:
    """The question which voice a speaker shall have in a language, with the facts at the moment.

    New facts may be added; none is taken away.
    """

    room: str
    """Name of the room."""
    speaker: Speaker
    target_language: LanguageCode
    """The language in which the voice is heard."""
    current: VoiceChoice | None = None
    """The voice of this speaker in this language now; None: the default voice, or none yet."""
    others: Mapping[str, Mapping[LanguageCode, VoiceChoice]] = field(
        default_factory=dict[str, Mapping[LanguageCode, VoiceChoice]]
    )
    """The voices of all other interpreted speakers: by identity, then by language."""
    unavailable: frozenset[str] = frozenset()
    """Ids of voices that Palabra said it does not have, in this room so far."""

    @property
    def taken(self) -> frozenset[str]:
        """Ids of the voices that others have in this language."""
        held = (voices.get(self.target_language) for voices in self.others.values())
        return frozenset().union(*map(voice_ids, held))


@runtime_checkable
class VoicePolicy(Protocol):
    """Chooses voices."""

    @abstractmethod
    async def choose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        """Choose the voice of a speaker in a language, or pass.

        Asked for each speaker and language, and again whenever the facts change. A policy that
        gives the same answer to the same facts keeps voices steady.
        """
        ...


def _accept_voice(answer: object, request: VoiceRequest) -> VoiceChoice | Passed:
    match answer:
        case None:
            return Passed(NO_REASON)
        case Passed():
            reason = cast("object", answer.reason)
            if not isinstance(reason, str):
                raise WrongAnswer(f"passed for a reason that is {a_kind_of(reason)}, not a str")
            told = one_line(reason, _LONGEST_REASON) or NO_REASON
            return Passed(told, is_private=bool(answer.is_private))
        case ClonedVoice() if not request.speaker.agrees_to_cloning:
            return Passed(NOT_AGREED, is_private=True)
        case FixedVoice() | ClonedVoice() | TimbreMatchedVoice():
            is_missing = not voice_ids(answer).isdisjoint(request.unavailable)
            return Passed("Palabra has no such voice") if is_missing else answer
        case _:
            raise WrongAnswer(f"returned {a_kind_of(answer)}, not a voice")


VOICE_POLICY: Final[FirstAnswer[VoiceRequest, VoiceChoice]] = FirstAnswer(
    VoicePolicy, "choose_voice", _accept_voice
)
