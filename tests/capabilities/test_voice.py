"""Acceptable answers to the question for a voice."""

from __future__ import annotations

import pytest

from palabra_agent.capabilities.capability import WrongAnswer
from palabra_agent.capabilities.voice import VOICE_POLICY
from palabra_agent.plugin import (
    CONSENT_ATTRIBUTE,
    ClonedVoice,
    FixedVoice,
    Passed,
    TimbreMatchedVoice,
)
from palabra_agent.testing import a_speaker, voice_request

pytestmark = pytest.mark.unit

REQUEST = voice_request()


AGREED = voice_request(a_speaker(attributes={CONSENT_ATTRIBUTE: "true"}))


@pytest.mark.parametrize("answer", [FixedVoice("x"), ClonedVoice(), TimbreMatchedVoice()])
def test_voices_are_answers(answer: object) -> None:
    """A policy may choose any voice, for a speaker who agrees to be cloned."""
    assert VOICE_POLICY.accept(answer, AGREED) == answer


@pytest.mark.parametrize("said", [None, "", "false", "yes", "1", "truе"])
def test_a_clone_without_consent_counts_as_passed(said: str | None) -> None:
    """The next plugin is asked, whichever plugin insists on it; the reason is for few."""
    attributes = {} if said is None else {CONSENT_ATTRIBUTE: said}
    request = voice_request(a_speaker(attributes=attributes))

    assert VOICE_POLICY.accept(ClonedVoice(), request) == Passed(
        "the speaker has not agreed to be cloned", is_private=True
    )


def test_a_plugin_s_own_reason_may_be_private() -> None:
    """As it says."""
    private = Passed("not agreed", is_private=True)

    assert VOICE_POLICY.accept(private, REQUEST) == private


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "passed"),
        (Passed(), "passed"),
        (Passed("speaks too low"), "speaks too low"),
        (Passed("x" * 1000), "x" * 199 + "…"),
        (Passed("Bob\n\u202eis\x1b[2J low"), "Bob is low"),
        (Passed("\n"), "passed"),
    ],
)
def test_a_policy_may_pass(answer: object, reason: str) -> None:
    """The reason is told in part where it is long."""
    assert VOICE_POLICY.accept(answer, REQUEST) == Passed(reason)


@pytest.mark.parametrize("answer", [FixedVoice("x"), TimbreMatchedVoice("default_high", "x")])
def test_a_voice_that_palabra_lacks_counts_as_passed(answer: object) -> None:
    """The next plugin is asked, whichever plugin insists on it."""
    request = voice_request(unavailable=["x"])

    assert VOICE_POLICY.accept(answer, request) == Passed("Palabra has no such voice")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("default_low", "returned a str, not a voice"),
        (5, "returned an int, not a voice"),
        (FixedVoice, "returned a type, not a voice"),
        ([FixedVoice("x")], "returned a list, not a voice"),
        (Passed(5), "passed for a reason that is an int, not a str"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ],
)
def test_what_is_no_voice_is_refused_in_words(answer: object, reason: str) -> None:
    """The sentence names the class of the answer, and none of its content."""
    with pytest.raises(WrongAnswer) as refused:
        VOICE_POLICY.accept(answer, REQUEST)

    assert str(refused.value) == reason
