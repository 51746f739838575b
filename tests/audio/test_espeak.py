"""Words as sound: what is made of the program's WAV, whatever it is."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from palabra_agent.audio.espeak import speak_words, wav_sound
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db

pytestmark = pytest.mark.unit

OWN_RATE = 22_050


def wav_of(sound: Pcm) -> bytes:
    """Write a mono WAV as the program does."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(OWN_RATE)
        writer.writeframes(sound.tobytes())
    return file.getvalue()


@pytest.mark.parametrize("rate", [24_000, SAMPLE_RATE])
def test_a_wav_is_resampled_whatever_its_header_says(rate: int) -> None:
    """A WAV with an unknown length keeps pitch and length at another rate."""
    wav = bytearray(wav_of(tone(440, 1.0, rate=OWN_RATE)))
    wav[40:44] = b"\xff\xff\xff\x7f"
    sound = wav_sound(bytes(wav), rate)

    assert sound is not None
    assert sound.size == pytest.approx(rate, abs=rate // 100)
    assert tone_level_db(sound, 440, rate=rate) == pytest.approx(-10.5, abs=1)


@pytest.mark.parametrize("wav", [b"", b"RIFF", bytes(60), wav_of(np.zeros(0, dtype=np.int16))])
def test_a_wav_without_sound_is_none(wav: bytes) -> None:
    """What the program prints when it fails is no sound."""
    assert wav_sound(wav, SAMPLE_RATE) is None


async def test_an_absent_program_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program there is no sound, and no error."""
    monkeypatch.setenv("PATH", "")

    assert await speak_words("Hola", "es", rate=SAMPLE_RATE) is None
