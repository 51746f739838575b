"""Speech as estimators are given it, and acceptable timbres."""

from __future__ import annotations

import math

import numpy as np
import pytest

from palabra_agent.capabilities.capability import Passed, WrongAnswer
from palabra_agent.capabilities.timbre import TIMBRE_ESTIMATOR, speech_of
from palabra_agent.plugin import Timbre
from palabra_agent.testing import a_speaker, a_speech

pytestmark = pytest.mark.unit

SPEECH = a_speech()


@pytest.mark.parametrize("pitch", [80, 123.5, np.float32(200.0), np.float64(260.0)])
def test_any_real_number_is_a_pitch(pitch: float) -> None:
    """A library's own numbers are taken for what they are."""
    assert TIMBRE_ESTIMATOR.accept(Timbre(pitch), SPEECH) == Timbre(float(pitch))


def test_a_timbre_may_be_unknown() -> None:
    """An estimator that cannot tell yet says so."""
    assert TIMBRE_ESTIMATOR.accept(None, SPEECH) == Passed("passed")


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
    """No voice policy ever sees a pitch that no voice has."""
    with pytest.raises(WrongAnswer) as refused:
        TIMBRE_ESTIMATOR.accept(answer, SPEECH)

    assert str(refused.value) == reason


def test_speech_is_the_plugins_to_keep() -> None:
    """Samples are a copy that cannot be written, at 48 kHz, with the speaker."""
    sound = np.ones(24_000, np.int16)
    speech = speech_of(a_speaker("alice"), sound)
    sound[:] = 0

    assert (speech.speaker, speech.sample_rate, speech.seconds) == (a_speaker(), 48_000, 0.5)
    assert speech.samples.min() == 1
    with pytest.raises(ValueError, match="read-only"):
        speech.samples[0] = 5
