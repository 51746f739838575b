"""Audible speech: both voices sound, at the right length, and are bounded by no silence."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm, duration_ms
from palabra_agent.audio.tones import tone
from palabra_agent.local.speech import Voice, synthetic_speech, wav_speech

pytestmark = pytest.mark.unit


def _wav(sound: Pcm, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(sound.tobytes())
    return file.getvalue()


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


def test_wav_is_brought_to_our_rate_and_trimmed() -> None:
    """A tone keeps its pitch and its length, and loses the silence around it."""
    silence = np.zeros(22_050, dtype=np.int16)
    sound = np.concatenate([silence, tone(440, 1.0, rate=22_050), silence])
    speech = wav_speech(_wav(sound, 22_050))

    assert speech is not None
    assert duration_ms(speech) == pytest.approx(1000, abs=10)
    crossings = int(np.sum(np.diff(np.signbit(speech)) != 0))
    assert crossings == pytest.approx(880, abs=10)


@pytest.mark.parametrize("wav", [b"", b"RIFF", _wav(np.zeros(100, dtype=np.int16), 22_050)])
def test_a_wav_without_speech_is_none(wav: bytes) -> None:
    """What espeak-ng would print on failure falls back to the synthetic voice."""
    assert wav_speech(wav) is None


async def test_a_sentence_is_made_once() -> None:
    """The second time the same sound comes back."""
    voice = Voice()

    first = await voice.speak("Hola a todos.", "es")
    assert await voice.speak("Hola a todos.", "es") is first
    assert duration_ms(first) > 500
