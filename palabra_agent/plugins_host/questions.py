"""The capabilities as questions: which method is called, and what counts as an answer.

Another capability is another line of `QUESTIONS`; who asks it, and what comes of that, stands in
the chain.
"""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, cast

from palabra_agent.plugin import (
    ClonedVoice,
    FixedVoice,
    Passed,
    Speech,
    Timbre,
    TimbreEstimator,
    TimbreMatchedVoice,
    TranscriptEvent,
    TranscriptListener,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent.plugins_host.fences import a_kind_of

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")

_LOWEST_PITCH_HZ: Final = 20.0
_HIGHEST_PITCH_HZ: Final = 2000.0


class WrongAnswer(ValueError):
    """What a plugin answered cannot be used; the sentence says what it was, without its words."""


@dataclass(frozen=True, slots=True)
class Question(Generic[AskedT, AnswerT]):
    """Something that plugins with a capability are asked."""

    capability: type
    method: str
    accept: Callable[[object], AnswerT]
    """Lets an answer through, or raises `WrongAnswer`."""

    async def put(self, plugin: object, asked: AskedT) -> object:
        """Ask a plugin; whatever it does wrong is raised here."""
        answer: Any = getattr(plugin, self.method)(asked)
        if not inspect.isawaitable(answer):
            raise WrongAnswer(f"returned {type(answer).__name__} instead of something to await")

        return await answer


def _voice(answer: object) -> VoiceAnswer:
    if answer is None or isinstance(answer, FixedVoice | ClonedVoice | TimbreMatchedVoice):
        return answer

    if not isinstance(answer, Passed):
        raise WrongAnswer(f"returned {a_kind_of(answer)}, not a voice")

    reason = cast("object", answer.reason)
    if not isinstance(reason, str):
        raise WrongAnswer(f"passed for a reason that is {a_kind_of(reason)}, not a str")

    return answer


def _timbre(answer: object) -> Timbre | None:
    if answer is None:
        return None

    if not isinstance(answer, Timbre):
        raise WrongAnswer(f"returned {a_kind_of(answer)}, not a timbre")

    pitch = cast("object", answer.pitch_hz)
    if not isinstance(pitch, numbers.Real):
        raise WrongAnswer(f"returned a pitch that is {a_kind_of(pitch)}, not a float")

    hz = float(pitch)
    # written so that it refuses what is no number at all
    if not _LOWEST_PITCH_HZ <= hz <= _HIGHEST_PITCH_HZ:
        number = f"{hz:g} Hz" if math.isfinite(hz) else str(hz)
        raise WrongAnswer(
            f"returned a pitch of {number}, and voices have"
            f" {_LOWEST_PITCH_HZ:g} to {_HIGHEST_PITCH_HZ:g}"
        )

    return Timbre(hz)


def _nothing(_answer: object) -> None:
    return None


CHOOSE_VOICE: Final[Question[VoiceRequest, VoiceAnswer]] = Question(
    VoicePolicy, "choose_voice", _voice
)
ON_TRANSCRIPT: Final[Question[TranscriptEvent, None]] = Question(
    TranscriptListener, "on_transcript", _nothing
)
ESTIMATE_TIMBRE: Final[Question[Speech, Timbre | None]] = Question(
    TimbreEstimator, "estimate_timbre", _timbre
)

QUESTIONS: Final[tuple[Question[Any, Any], ...]] = (CHOOSE_VOICE, ON_TRANSCRIPT, ESTIMATE_TIMBRE)
"""Every kind; what answers none of them is no plugin."""


def questions_for(opened: object) -> frozenset[Question[Any, Any]]:
    """What an opened plugin can be asked; its capabilities may be objects' own, or a class's."""
    return frozenset(
        question
        for question in QUESTIONS
        if isinstance(opened, question.capability)
        and callable(getattr(opened, question.method, None))
    )
