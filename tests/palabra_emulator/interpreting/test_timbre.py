"""High and low voices told apart."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_emulator.interpreting.timbre import TimbreDetector
from palabra_emulator.interpreting.utterances import HEARING_RATE

pytestmark = pytest.mark.unit


def vowel(pitch_hz: float, seconds: float = 1.0) -> Pcm:
    """A vowel: harmonics of a pitch, softer the higher they are."""
    numbers = range(1, int(4000 / pitch_hz))
    tones = [tone(it * pitch_hz, seconds, amplitude=0.2 / it, rate=HEARING_RATE) for it in numbers]
    return mix(*tones)


@pytest.mark.parametrize(
    ("pitch_hz", "is_high"),
    [(80, False), (110, False), (150, False), (180, True), (220, True), (330, True)],
)
def test_a_voice_is_high_or_low(pitch_hz: float, is_high: bool) -> None:
    """By its pitch, whether it is a vowel or a pure tone, in pieces of any length."""
    for sound in (vowel(pitch_hz), tone(pitch_hz, 1.0, rate=HEARING_RATE)):
        timbre = TimbreDetector()
        for piece in np.array_split(sound, 7):
            timbre.hear(piece)

        assert timbre.is_high is is_high


def test_silence_and_noise_have_no_timbre() -> None:
    """Only a voice is judged; the newest counts."""
    noise = np.random.default_rng(1).normal(0, 3000, HEARING_RATE).astype(np.int16)
    timbre = TimbreDetector()
    found: list[bool | None] = []
    for sound in (np.zeros(HEARING_RATE, np.int16), noise, vowel(110), noise, vowel(220, 3.0)):
        timbre.hear(sound)
        found.append(timbre.is_high)

    assert found == [None, None, False, False, True]
