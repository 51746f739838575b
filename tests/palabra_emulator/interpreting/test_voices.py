"""Marker tones and espeak-ng."""

from __future__ import annotations

import json
import os
import stat
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from palabra_agent.audio.espeak import find_espeak
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone_level_db
from palabra_emulator.interpreting.markers import voice_heard, voice_markers
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.speech import SpeechRequest
from palabra_emulator.interpreting.timbre import TimbreDetector
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.interpreting.voices import (
    EspeakVoice,
    MarkerVoice,
)

pytestmark = pytest.mark.unit


async def test_marker_voice_speaks_three_tones() -> None:
    """As long as the original: the language's tone, and the session's and voice's 10 dB below."""
    speech = SpeechRequest("Hola", "es-mx", 1.25, 2050, voice="nova")
    pcm = await MarkerVoice({"nova"}).speak(speech)
    pitches = (500, 2050, voice_markers({"nova"})["nova"])
    language, session, voice = (tone_level_db(pcm, hz, rate=SPEECH_RATE) for hz in pitches)

    assert pcm.size == 1.25 * SPEECH_RATE
    assert language - session == pytest.approx(10, abs=0.5)
    assert voice == pytest.approx(session, abs=0.1)
    assert tone_level_db(pcm, 600, rate=SPEECH_RATE) < -80


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.45, 3.0])
async def test_a_faster_marker_is_shorter_and_otherwise_the_same(tempo: float) -> None:
    """The tones keep their pitch and their loudness."""
    pcm = await MarkerVoice().speak(SpeechRequest("Hola", "es", 2.9, 2050, tempo=tempo))

    assert pcm.size == round(2.9 / tempo, 2) * SPEECH_RATE
    assert tone_level_db(pcm, 500, rate=SPEECH_RATE) == pytest.approx(-10.5, abs=0.2)
    assert tone_level_db(pcm, 2050, rate=SPEECH_RATE) == pytest.approx(-20.5, abs=0.2)


async def test_a_marker_may_end_with_a_pause() -> None:
    """The pause is part of its length, and shrinks with it."""
    request = SpeechRequest("Hola", "es", 2.0, 2050, tempo=1.25, pause=0.25)
    pcm = await MarkerVoice().speak(request)
    sounding = np.flatnonzero(pcm)

    assert pcm.size == 1.6 * SPEECH_RATE
    assert sounding[-1] / SPEECH_RATE == pytest.approx(1.4, abs=0.01)


@pytest.mark.parametrize("tempo", [1.0, 3.0])
async def test_the_voice_is_told_back_from_the_sound(tempo: float) -> None:
    """Each voice's, the default ones' and a cloned one's, whatever else is marked."""
    voices = {f"voice-{number}" for number in range(40)}
    marker_voice = MarkerVoice(voices)
    for voice in voice_markers(voices):
        speech = SpeechRequest("Hola", "sw", 0.8, 3950, voice=voice, tempo=tempo)
        sound = await marker_voice.speak(speech)
        assert voice_heard(sound, voices, rate=SPEECH_RATE) == voice


@pytest.mark.skipif(
    find_espeak() is None and "CI" not in os.environ, reason="espeak-ng is not installed"
)
async def test_each_voice_of_espeak_sounds_different() -> None:
    """The same words are another sound in each voice, and the high one is higher than the low."""
    voices = [*voice_markers({"nova", "orion", "lyra"})]
    espeak = EspeakVoice(MarkerVoice(voices), voices)
    speech = SpeechRequest("Buenos días a todos.", "es", 1.0, 2000)
    sounds = {it: await espeak.speak(replace(speech, voice=it)) for it in voices}
    timbres = {it: TimbreDetector() for it in voices}
    for voice, timbre in timbres.items():
        timbre.hear(resampled(sounds[voice]))

    assert len({sound.tobytes() for sound in sounds.values()}) == len(voices) == 6
    assert timbres["default_high"].is_high is True
    assert timbres["default_low"].is_high is False


def resampled(sound: Pcm) -> Pcm:
    """Speech at the rate at which the emulator hears."""
    at = np.arange(sound.size * HEARING_RATE // SPEECH_RATE) * (SPEECH_RATE / HEARING_RATE)
    heard: Pcm = np.interp(at, np.arange(sound.size), sound).astype(np.int16)
    return heard


def pretend_espeak(folder: Path, body: str) -> None:
    """Put a program named espeak-ng into a folder."""
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


async def test_espeak_gets_voice_and_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program gets the voice as an option and the text as input, and its WAV is spoken."""
    with wave.open(str(tmp_path / "out.wav"), "wb") as file:
        file.setparams((1, 2, SPEECH_RATE, 0, "NONE", ""))
        file.writeframes(np.full(2400, 7, "<i2").tobytes())
    pretend_espeak(
        tmp_path,
        f'echo "$@" > {tmp_path}/arguments; cat > {tmp_path}/input; cat {tmp_path}/out.wav',
    )
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    speech = SpeechRequest("Hola a todos", "es-mx", 1.0, 2000, voice="default_high", tempo=1.2)
    pcm = await EspeakVoice(MarkerVoice()).speak(speech)

    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments == ["-v", "es-419+f2", "-s", "210", "-p", "60", "--stdin", "--stdout"]
    assert (tmp_path / "input").read_text() == "Hola a todos"
    assert pcm.tolist() == [7] * 2400


@pytest.mark.parametrize("is_installed", [True, False])
async def test_markers_stand_in_for_espeak(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_installed: bool,
) -> None:
    """Absent, or without the language, espeak-ng is replaced by tones, with one line about it."""
    if is_installed:
        pretend_espeak(tmp_path, "exit 1")
    monkeypatch.setenv("PATH", str(tmp_path) if not is_installed else f"{tmp_path}:/bin:/usr/bin")
    voice = EspeakVoice(MarkerVoice())
    speech = SpeechRequest("Hola", "es", 1.0, 2000)
    await voice.speak(speech)
    pcm = await voice.speak(speech)

    assert tone_level_db(pcm, 500, rate=SPEECH_RATE) > -15
    assert len(caplog.records) == 1
    assert "marker tones are spoken instead" in caplog.messages[0]
    assert "Hola" not in json.dumps(caplog.messages)
