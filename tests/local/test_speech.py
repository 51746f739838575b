"""Audible speech: both voices sound, at the right length, and are bounded by no silence."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, duration_ms
from palabra_agent.local.speech import SyntheticVoice, synthetic_speech

pytestmark = pytest.mark.unit


def test_the_synthetic_voice_is_as_long_as_a_sentence() -> None:
    """About a third of a second for a word, loud, the same every time."""
    speech = synthetic_speech("Good morning everyone, and thank you for joining us today.")

    assert 2000 < duration_ms(speech) < 6000
    assert np.abs(speech).max() > 10_000
    np.testing.assert_array_equal(
        speech, synthetic_speech("Good morning everyone, and thank you for joining us today.")
    )


def test_the_synthetic_voice_never_pauses_long_enough_to_end_an_utterance() -> None:
    """The longest silence within a sentence stays far under the shortest confirming silence."""
    speech = synthetic_speech("One, two. Three; four!")

    loud = np.flatnonzero(np.abs(speech.astype(np.int32)) > 300)
    assert np.diff(loud).max() < 0.15 * SAMPLE_RATE


def test_a_sentence_without_letters_is_spoken_too() -> None:
    """Nothing is too short to be heard."""
    assert duration_ms(synthetic_speech("…")) > 50


async def test_a_sentence_is_made_once() -> None:
    """The second time the same sound comes back."""
    voice = SyntheticVoice()

    first = await voice.speak("Hola a todos.", "es")
    assert await voice.speak("Hola a todos.", "es") is first
    assert duration_ms(first) > 500
