"""Words as sound, by espeak-ng."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_agent.audio.espeak import speak_words
from palabra_agent.audio.pcm import SAMPLE_RATE

pytestmark = pytest.mark.unit


async def test_an_absent_program_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program there is no sound, and no error."""
    monkeypatch.setenv("PATH", "")

    assert await speak_words("Hola", "es", rate=SAMPLE_RATE) is None


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "echo words"])
async def test_a_program_that_fails_says_nothing(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program prints instead of a WAV is no sound."""
    program = tmp_path / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert await speak_words("Hola", "es", rate=SAMPLE_RATE) is None
