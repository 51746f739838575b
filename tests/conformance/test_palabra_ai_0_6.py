"""Palabra's own SDK of the 0.6 line, unmodified, talks to the emulator over WebRTC."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest

from palabra_agent.local.processes import run_child
from palabra_emulator.interpreting.markers import language_marker_hz
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import load_script
from palabra_emulator.server import run_emulator
from tests.clock import HANG_SECONDS
from tests.palabra_emulator.sounds import read_wav, wav
from tests.palabra_emulator.watching import (
    SessionState,
    commands_of,
    events_of,
    newest_session,
    sessions_at,
)

from .sounds import (
    SPEECH_HZ,
    SPOKEN_SECONDS,
    languages_in,
    seconds_of,
    sentence,
)

pytestmark = [pytest.mark.livekit, pytest.mark.asyncio(loop_scope="session")]

_HERE: Final = Path(__file__).parent
_RATE: Final = 48_000


@dataclass(frozen=True, slots=True)
class Old:
    """palabra-ai 0.6 in its own environment, and the folder where it reads and writes."""

    python: Path
    folder: Path

    async def translate(self, url: str, source: str, target: str, *options: str) -> dict[str, Any]:
        """Let it translate a file to the end; returns its report."""
        name = f"{source}-{target}"
        sound = self.folder / f"{name}-in.wav"
        sound.write_bytes(wav(sentence(_RATE), _RATE))
        report = self.folder / f"{name}.json"
        words = [str(self.python), str(_HERE / "drive_0_6.py"), "--api", url]
        words += ["--source", source, "--target", target, "--input", str(sound)]
        words += ["--output", str(self.output(source, target)), "--report", str(report), *options]
        async with run_child(
            f"palabra-ai 0.6 {name}",
            words,
            log_path=self.folder / f"{name}.log",
            env={"PYTHONPATH": str(_HERE / "stand_ins")},
            cwd=self.folder,
        ) as child:
            async with asyncio.timeout(HANG_SECONDS):
                code = await child.process.wait()

            assert code == 0, child.obituary()
            found: dict[str, Any] = json.loads(report.read_text())
            return found

    def output(self, source: str, target: str) -> Path:
        """The file into which it writes the translation."""
        return self.folder / f"{source}-{target}.wav"


@pytest.fixture
def old(old_sdk_python: Path, tmp_path: Path) -> Old:
    """The SDK, ready to run."""
    return Old(old_sdk_python, tmp_path)


async def test_files_are_translated_side_by_side(options: EmulatorOptions, old: Old) -> None:
    """Two runs at once end by themselves, each with its language's sound and texts in its file.

    The second has a regional target: the SDK waits for a track that only begins like its name.
    """
    async with run_emulator(options) as palabra:
        async with asyncio.TaskGroup() as group:
            into_spanish = group.create_task(old.translate(palabra.url, "en", "es"))
            into_english = group.create_task(old.translate(palabra.url, "es", "en-us"))

        expect_texts(into_spanish.result(), "en", "es")
        expect_texts(into_english.result(), "es", "en-us")
        english, spanish = [await newest_session(palabra.url, it) for it in ("en", "es")]
        expect_speech(old.output("en", "es"), english.marker_hz, "es")
        expect_speech(old.output("es", "en-us"), spanish.marker_hz, "en")
        for session in await sessions_at(palabra.url):
            await expect_tidy(palabra.url, session)


async def test_a_file_is_translated_over_a_websocket_too(
    options: EmulatorOptions, old: Old
) -> None:
    """The line's other transport, whose JSON comes in binary frames, yields the same."""
    async with run_emulator(options) as palabra:
        report = await old.translate(palabra.url, "en", "es", "--mode", "ws")
        session = await newest_session(palabra.url)

        expect_texts(report, "en", "es")
        expect_speech(old.output("en", "es"), session.marker_hz, "es")
        await expect_tidy(palabra.url, session)


async def test_wrong_credentials_reach_the_sdks_user(options: EmulatorOptions, old: Old) -> None:
    """Both of the statuses that Palabra has had for wrong credentials end the SDK's run."""
    async with run_emulator(options) as today:
        report = await old.translate(today.url, "en", "es", "--client-secret", "wrong")

    assert not report["ok"]
    assert "401" in report["error"]

    async with run_emulator(replace(options, cred_error_status=404)) as then:
        report = await old.translate(then.url, "en", "es", "--client-secret", "wrong")

    assert not report["ok"]
    assert report["error"].startswith("InvalidCredentialsError")


def expect_texts(report: dict[str, Any], source: str, target: str) -> None:
    """The SDK ended well and handed over the sentence in both languages, under one id."""
    assert report["ok"], report["error"]
    by_type = {it["type"]: it for it in report["texts"]}
    said, translated = by_type["validated_transcription"], by_type["translated_transcription"]
    assert "partial_transcription" in by_type
    assert said["id"] == translated["id"]

    script = load_script()
    assert (said["language"], said["text"]) == (source, script.text(0, source))
    assert (translated["language"], translated["text"]) == (target, script.text(0, source, target))


def expect_speech(file: Path, session_hz: int, language: str) -> None:
    """The file holds that language and that session alone, as long as the sentence was."""
    rate, pcm = read_wav(file.read_bytes())

    assert languages_in(pcm, rate, "en", "es", "de") == {language}
    for hz in (language_marker_hz(language), session_hz):
        assert seconds_of(hz, pcm, rate) == pytest.approx(SPOKEN_SECONDS, abs=0.5)
    assert seconds_of(SPEECH_HZ, pcm, rate) == 0


async def expect_tidy(url: str, session: SessionState) -> None:
    """A session was made, told its task once, and deleted; nothing that it was told was wrong."""
    commands = await commands_of(url, session.id)
    rest = await events_of(url, session.id, "rest")
    calls = [(it.data["method"], it.data["status"]) for it in rest]

    assert calls == [("POST", 201), ("DELETE", 204)]
    assert session.state == "deleted"
    assert commands[0] == ("set_task", "ok")
    assert {name for name, _ in commands[1:]} == {"get_task"}
    # it asks every second, where one question in two seconds is allowed, and survives the refusal
    assert {outcome for _, outcome in commands} <= {"ok", "rate_limited"}
