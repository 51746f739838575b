"""What counts as an answer."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from palabra_agent.plugin import (
    CAPABILITIES,
    ClonedVoice,
    FixedVoice,
    Passed,
    Timbre,
    TimbreMatchedVoice,
    TranscriptListener,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent.plugins_host.questions import (
    CHOOSE_VOICE,
    ESTIMATE_TIMBRE,
    ON_TRANSCRIPT,
    QUESTIONS,
    WrongAnswer,
    questions_for,
    what_is_missing,
)
from tests.plugins_host.strangers import Estimator, Listener, Policy

pytestmark = pytest.mark.unit


def _forged(kind: type, **values: object) -> object:
    """Make a voice as its class would not let anybody make it."""
    voice: object = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(voice, name, value)

    return voice


class _Sullen(FixedVoice):
    """Refuses to be looked at more than it must."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError


class _Words(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError

    def __getitem__(self, key: object) -> str:
        raise RuntimeError


def test_every_capability_is_a_question() -> None:
    """What the public API calls a capability is asked, and nothing else."""
    assert {question.capability for question in QUESTIONS} == set(CAPABILITIES)


@pytest.mark.parametrize(
    "answer", [None, FixedVoice("x"), ClonedVoice(), TimbreMatchedVoice(), Passed(), Passed("no")]
)
def test_voices_and_passes_are_answers(answer: object) -> None:
    """A policy may choose any voice, or pass."""
    assert CHOOSE_VOICE.accept(answer) == answer


def test_answers_are_copied() -> None:
    """What is kept of a plugin's answer has none of its code, and does not change later."""
    voice = CHOOSE_VOICE.accept(_Sullen("x"))
    assert (type(voice), voice) == (FixedVoice, FixedVoice("x"))
    passed = CHOOSE_VOICE.accept(Passed(_Words("no")))
    assert isinstance(passed, Passed)
    assert (type(passed.reason), passed.reason) == (str, "no")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("default_low", "returned a str, not a voice"),
        (5, "returned an int, not a voice"),
        (FixedVoice, "returned a type, not a voice"),
        ([FixedVoice("x")], "returned a list, not a voice"),
        (_forged(FixedVoice, voice_id=["x"]), "chose a voice whose id is a list, not a str"),
        (
            _forged(TimbreMatchedVoice, high="x", low=5),
            "chose a voice whose id is an int, not a str",
        ),
        (Passed(5), "passed for a reason that is an int, not a str"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_is_no_voice_is_refused_in_words(answer: object, reason: str) -> None:
    """The sentence names the class of the answer, and none of its content."""
    with pytest.raises(WrongAnswer) as refused:
        CHOOSE_VOICE.accept(answer)

    assert str(refused.value) == reason


@pytest.mark.parametrize("pitch", [80, 123.5, np.float32(200.0), np.float64(260.0)])
def test_any_real_number_is_a_pitch(pitch: float) -> None:
    """A library's own numbers are taken for what they are."""
    assert ESTIMATE_TIMBRE.accept(Timbre(pitch)) == Timbre(float(pitch))


def test_a_timbre_may_be_unknown() -> None:
    """An estimator that cannot tell yet says so."""
    assert ESTIMATE_TIMBRE.accept(None) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (120.0, "returned a float, not a timbre"),
        (Timbre(math.nan), "returned a pitch of nan, and voices have 20 to 2000"),
        (Timbre(math.inf), "returned a pitch of inf, and voices have 20 to 2000"),
        (Timbre(0.0), "returned a pitch of 0 Hz, and voices have 20 to 2000"),
        (Timbre(-120.0), "returned a pitch of -120 Hz, and voices have 20 to 2000"),
        (Timbre(48_000.0), "returned a pitch of 48000 Hz, and voices have 20 to 2000"),
        (Timbre("high"), "returned a pitch that is a str, not a float"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_absurd_timbres_are_refused_in_words(answer: object, reason: str) -> None:
    """No voice policy ever sees a pitch that nobody has."""
    with pytest.raises(WrongAnswer) as refused:
        ESTIMATE_TIMBRE.accept(answer)

    assert str(refused.value) == reason


def test_listeners_may_return_anything() -> None:
    """Nobody asked."""
    assert ON_TRANSCRIPT.accept("thanks") is None


class _Everything(Policy, Listener, Estimator):
    def __init__(self) -> None:
        Policy.__init__(self, lambda request: None)


class _NotCallable:
    choose_voice = "default_low"


def test_capabilities_are_found_by_their_methods() -> None:
    """An object has every capability whose method it has, inherited or not."""
    assert questions_for(Policy(lambda request: None)) == {CHOOSE_VOICE}
    assert questions_for(_Everything()) == set(QUESTIONS)


@pytest.mark.parametrize("opened", [None, 5, "choose_voice", object(), _NotCallable()])
def test_what_has_no_method_has_no_capability(opened: object) -> None:
    """An attribute of the right name is not enough."""
    assert questions_for(opened) == frozenset()


async def test_what_cannot_be_awaited_is_refused_in_words() -> None:
    """A method that is not async is named for what it does."""

    class _Sync:
        def choose_voice(self, request: object) -> FixedVoice:
            return FixedVoice("x")

    with pytest.raises(WrongAnswer, match="returned FixedVoice instead of something to await"):
        await CHOOSE_VOICE.put(_Sync(), None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_class_that_lacks_a_method_is_told_which() -> None:
    """As far as that is one of ours; the words of the error itself stay where they are."""

    class Misspelt(VoicePolicy, TranscriptListener):
        async def chose_voice(self, request: VoiceRequest) -> None: ...

        @abstractmethod
        def secret(self) -> None: ...

    error = error_of(cast("Any", Misspelt))

    assert what_is_missing(error) == ": the class lacks choose_voice and on_transcript"
    assert what_is_missing(TypeError("choose_voice")) == ""
    assert what_is_missing(TypeError(_Sullen("x"))) == ""
    assert what_is_missing(None) == ""


def error_of(call: Callable[[], object]) -> TypeError:
    """What calling something without arguments raises."""
    with pytest.raises(TypeError) as caught:
        call()
    return caught.value
