"""The recording of what a session heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_emulator.interpreting.recording import InputRecording
from tests.palabra_emulator.talk import voice

pytestmark = pytest.mark.unit


def test_recording_that_cannot_be_written_does_not_end_the_session(tmp_path: Path) -> None:
    """What cannot be written is not, said once; the newest is still kept in memory."""
    path = tmp_path / "folder" / "heard.wav"
    recording = InputRecording(16_000, 60.0, path)
    path.parent.write_text("no folder")

    for _ in range(2):
        recording.add(voice(0.1))

    assert len(recording.as_wav()) > 6_000
