"""Marker tones and espeak-ng."""

from __future__ import annotations

import json
import os
import stat
import wave
from pathlib import Path

import numpy as np
import pytest

from palabra_agent.audio.tones import tone_level_db
from palabra_agent.languages import TARGET_LANGUAGES, base
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.speech import SpeechRequest
from palabra_emulator.interpreting.voices import (
    EspeakVoice,
    MarkerVoice,
    all_markers,
    language_marker_hz,
    session_marker_hz,
)

pytestmark = pytest.mark.unit


def test_markers_are_as_promised() -> None:
    """The eight named pitches, variants as their base, sessions in steps of 50 Hz."""
    named = [language_marker_hz(code) for code in ("en", "es", "de", "fr", "it", "pt", "ja", "zh")]

    assert named == [400, 500, 600, 700, 800, 900, 1000, 1100]
    assert language_marker_hz("en-us") == 400
    assert language_marker_hz("zh-hant") == 1100
    assert [session_marker_hz(n) for n in (0, 1, 39, 40)] == [2000, 2050, 3950, 2000]


def test_markers_tell_every_language_apart() -> None:
    """Every target has a pitch below the sessions', and no two languages share one."""
    markers = all_markers()

    assert markers.keys() == TARGET_LANGUAGES
    assert len(set(markers.values())) == len({base(code) for code in TARGET_LANGUAGES})
    assert max(markers.values()) < 2000
    with pytest.raises(ValueError, match='"xx" is no target language'):
        language_marker_hz("xx")


async def test_marker_voice_speaks_two_tones() -> None:
    """As long as the original: the language's tone, and the session's 10 dB below."""
    pcm = await MarkerVoice().speak(SpeechRequest("Hola", "es-mx", 1.25, 2050))
    language, session = (tone_level_db(pcm, hz, rate=SPEECH_RATE) for hz in (500, 2050))

    assert pcm.size == 1.25 * SPEECH_RATE
    assert language - session == pytest.approx(10, abs=0.5)
    assert tone_level_db(pcm, 600, rate=SPEECH_RATE) < -80


@pytest.mark.parametrize("tempo", [0.5, 1.0, 1.45, 3.0])
async def test_a_faster_marker_is_shorter_and_otherwise_the_same(tempo: float) -> None:
    """The tones keep their pitch and their loudness."""
    pcm = await MarkerVoice().speak(SpeechRequest("Hola", "es", 2.9, 2050, tempo=tempo))

    assert pcm.size == round(2.9 / tempo, 2) * SPEECH_RATE
    assert tone_level_db(pcm, 500, rate=SPEECH_RATE) == pytest.approx(-10.5, abs=0.2)
    assert tone_level_db(pcm, 2050, rate=SPEECH_RATE) == pytest.approx(-20.5, abs=0.2)


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
    speech = SpeechRequest("Hola a todos", "es-mx", 1.0, 2000, tempo=1.2)
    pcm = await EspeakVoice(MarkerVoice()).speak(speech)

    arguments = (tmp_path / "arguments").read_text().split()
    assert arguments == ["-v", "es-419", "-s", "210", "--stdin", "--stdout"]
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
