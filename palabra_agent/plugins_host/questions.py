"""The capabilities as questions: which method is called, and what counts as an answer.

Another capability is another line of `QUESTIONS`; who asks it, and what comes of that, stands in
the chain.
"""

from __future__ import annotations

import inspect
import math
import numbers
import re
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

_ABSTRACT: Final = "Can't instantiate abstract class "

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
    """Makes an answer of ours of a plugin's, or raises `WrongAnswer`."""

    async def put(self, plugin: object, asked: AskedT) -> AnswerT:
        """Ask a plugin; whatever it does wrong is raised here, to look at its answer included."""
        answer: Any = getattr(plugin, self.method)(asked)
        if not inspect.isawaitable(answer):
            raise WrongAnswer(f"returned {type(answer).__name__} instead of something to await")

        return self.accept(await answer)


def _voice(answer: object) -> VoiceAnswer:
    """Copy a voice: what comes from a plugin may change, or refuse to be compared."""
    match answer:
        case None:
            return None
        case FixedVoice():
            return FixedVoice(_text(answer.voice_id, "chose a voice whose id is"))
        case ClonedVoice():
            return ClonedVoice()
        case TimbreMatchedVoice():
            high, low = cast("tuple[object, object]", (answer.high, answer.low))
            said = "chose a voice whose id is"
            return TimbreMatchedVoice(_text(high, said), _text(low, said))
        case Passed():
            return Passed(_text(answer.reason, "passed for a reason that is"))
        case _:
            raise WrongAnswer(f"returned {a_kind_of(answer)}, not a voice")


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise WrongAnswer(f"{what} {a_kind_of(value)}, not a str")

    # a plain one, whatever class of its own the plugin has
    return str.__str__(value)


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


def what_is_missing(error: BaseException | None) -> str:
    """The methods that a class lacks, where an error says that it cannot have an instance."""
    said: object = error.args[0] if type(error) is TypeError and error.args else None
    # nothing of a stranger's is called here, not even its `__str__`
    words = said if type(said) is str else ""
    if not words.startswith(_ABSTRACT):
        return ""

    found = set(re.findall(r"\w+", words.removeprefix(_ABSTRACT).partition(" ")[2]))
    lacking = [question.method for question in QUESTIONS if question.method in found]
    return f": the class lacks {' and '.join(lacking)}" if lacking else ""


def questions_for(opened: object) -> frozenset[Question[Any, Any]]:
    """What an opened plugin can be asked; its capabilities may be objects' own, or a class's."""
    return frozenset(
        question
        for question in QUESTIONS
        if isinstance(opened, question.capability)
        and callable(getattr(opened, question.method, None))
    )
