"""The examples do what they say."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import wave
from dataclasses import replace
from pathlib import Path

import aiohttp
import av
import numpy as np
import pytest
from livekit import api

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.languages import LanguageCode
from palabra_agent.local.processes import accepts_connections, free_port
from palabra_emulator.script import Script, Sentence
from tests.clock import HANG_SECONDS, eventually
from tests.palabra_emulator.fakes import OPTIONS, FakeLiveKit, fake_emulator

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parent.parent / "examples"
QUICK = replace(OPTIONS, ready_delay_ms=0, latency_ms=300)


def write_talk(path: Path, rate: int = 16_000) -> None:
    """Say something for a second and a half."""
    speech = np.concatenate([tone(330, 1.5), np.zeros(SAMPLE_RATE // 4, dtype=np.int16)])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(speech[:: SAMPLE_RATE // rate].tobytes())


def write_flac(path: Path) -> None:
    """Say the same in another format."""
    speech = np.concatenate([tone(330, 1.5), np.zeros(SAMPLE_RATE // 4, dtype=np.int16)])
    with av.open(path, "w", format="flac") as file:
        stream = file.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(speech.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        file.mux([*stream.encode(frame), *stream.encode(None)])


def read(path: Path) -> Pcm:
    """Read what was written."""
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == SAMPLE_RATE
        return np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)


async def run(*words: str, **env: str) -> tuple[int, str]:
    """Run an example; returns its exit code and everything it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "COLUMNS": "120", **env},
    )
    async with asyncio.timeout(HANG_SECONDS):
        said, _ = await process.communicate()

    return process.returncode or 0, said.decode()


async def test_a_file_is_translated(tmp_path: Path) -> None:
    """One file per language with its voice in it, the transcript in both, and the bill."""
    talk = tmp_path / "talk.wav"
    write_talk(talk)
    async with fake_emulator(FakeLiveKit(), QUICK) as emulator:
        script = str(EXAMPLES / "translate_file.py")
        words = [script, str(talk), "--from", "en", "--to", "es", "de"]
        code, said = await run(*words, PALABRA_API_URL=emulator.url, PALABRA_API_KEY="local")

    assert code == 0, said
    assert "Good morning everyone" in said
    assert "Buenos días" in said
    assert "billed: " in said
    transcript = (tmp_path / "talk.transcript.txt").read_text(encoding="utf-8")
    assert "en  Good morning everyone" in transcript
    assert "    es  Buenos días" in transcript
    for language, hz in [("es", 500), ("de", 600)]:
        sound = read(tmp_path / f"talk.{language}.wav")
        speech = sound[np.flatnonzero(np.abs(sound) > 300)[0] :][:SAMPLE_RATE]
        assert tone_level_db(speech, hz) > -25


async def test_any_sound_file_is_translated(tmp_path: Path) -> None:
    """A FLAC, say, between languages that are written as browsers write them."""
    talk = tmp_path / "talk.flac"
    write_flac(talk)
    async with fake_emulator(FakeLiveKit(), QUICK) as emulator:
        example = [str(EXAMPLES / "translate_file.py"), str(talk), "--from", "en-GB"]
        words = [*example, "--to", "es_ES.UTF-8", "de-AT", "de"]
        code, said = await run(*words, PALABRA_API_URL=emulator.url, PALABRA_API_KEY="local")

    assert code == 0, said
    assert "Good morning everyone" in said
    assert said.count("wrote ") == 3
    for name in ("talk.de.wav", "talk.es.wav", "talk.transcript.txt"):
        assert (tmp_path / name).exists()


async def test_words_in_brackets_are_words(tmp_path: Path) -> None:
    """What looks like markup is printed as it is, and ends nothing."""
    talk = tmp_path / "talk.wav"
    write_talk(talk)
    script = Script((Sentence({LanguageCode("en"): "[music] and [/x]"}),))
    async with fake_emulator(FakeLiveKit(), replace(QUICK, script=script)) as emulator:
        words = [str(EXAMPLES / "translate_file.py"), str(talk), "--from", "en", "--to", "es"]
        code, said = await run(*words, PALABRA_API_URL=emulator.url, PALABRA_API_KEY="local")

    assert code == 0, said
    assert "[music] and [/x]" in said


async def test_it_may_be_stopped(tmp_path: Path) -> None:
    """Ctrl-C ends it without a traceback, and the session with it."""
    talk = tmp_path / "talk.wav"
    write_talk(talk)
    async with fake_emulator(FakeLiveKit(), replace(QUICK, ready_delay_ms=20_000)) as emulator:
        process = await asyncio.create_subprocess_exec(
            *[sys.executable, str(EXAMPLES / "translate_file.py"), str(talk), "--to", "es"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={
                "PATH": os.environ["PATH"],
                "PALABRA_API_URL": emulator.url,
                "PALABRA_API_KEY": "local",
            },
        )
        await eventually(lambda: [it for it in emulator.journal.entries() if it.event == "created"])
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(HANG_SECONDS):
            said, _ = await process.communicate()

    assert process.returncode == 130
    assert said.decode() == ""


@pytest.mark.parametrize(
    ("words", "env", "sentence"),
    [
        (
            ["missing.wav", "--to", "es"],
            {"PALABRA_API_KEY": "x"},
            "missing.wav: cannot be opened: No such file or directory",
        ),
        (["talk.wav", "--to", "es"], {}, "set PALABRA_API_KEY, or"),
        (["talk.wav", "--to", "xx"], {"PALABRA_API_KEY": "local"}, '"xx"'),
        (["words.txt", "--to", "es"], {"PALABRA_API_KEY": "x"}, "is no sound that can be read"),
        ([".", "--to", "es"], {"PALABRA_API_KEY": "x"}, "is a folder"),
        (["talk.wav", "--to", "es"], {"PALABRA_API_KEY": "wrong"}, "Palabra refused"),
    ],
)
async def test_what_is_wrong_is_said_in_a_sentence(
    tmp_path: Path, words: list[str], env: dict[str, str], sentence: str
) -> None:
    """And never as a traceback."""
    write_talk(tmp_path / "talk.wav")
    (tmp_path / "words.txt").write_text("Good morning everyone")
    async with fake_emulator(FakeLiveKit(), QUICK) as emulator:
        file, *others = words
        example = [str(EXAMPLES / "translate_file.py"), str(tmp_path / file), *others]
        code, said = await run(*example, PALABRA_API_URL=emulator.url, **env)

    assert code == 1
    assert sentence in said
    assert "Traceback" not in said


async def test_the_server_of_the_listener_s_page_brings_the_interpreter_along() -> None:
    """It shows the page, and gives tokens for the room that is asked for, or a sentence."""
    port = free_port(host="127.0.0.1")
    example = str(EXAMPLES / "listener-page" / "serve.py")
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, example],
        stdout=asyncio.subprocess.DEVNULL,
        env={
            "PATH": os.environ["PATH"],
            "LIVEKIT_URL": "wss://example.org",
            "LIVEKIT_API_KEY": "key",
            "LIVEKIT_API_SECRET": "s" * 32,
            "PORT": str(port),
        },
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        await eventually(lambda: accepts_connections("127.0.0.1", port))
        async with aiohttp.ClientSession() as browser:
            async with browser.get(url) as page:
                assert "page.js" in await page.text()
            request = {"participant_name": "Ana", "room_name": "board"}
            async with browser.post(url + "token", json=request) as answer:
                given = await answer.json()
            for wrong in ("", "[5]", "{}"):
                async with browser.post(url + "token", data=wrong) as answer:
                    assert answer.status == 400, await answer.text()
    finally:
        process.terminate()
        await process.wait()

    claims = api.TokenVerifier("key", "s" * 32).verify(given["participant_token"])
    assert given["server_url"] == "wss://example.org"
    assert claims.name == "Ana"
    assert claims.video is not None
    assert claims.video.room == "board"
    assert claims.room_config is not None
    assert [it.agent_name for it in claims.room_config.agents] == ["palabra-interpreter"]


async def test_the_server_of_the_listener_s_page_says_what_it_lacks() -> None:
    """In a sentence."""
    code, said = await run(str(EXAMPLES / "listener-page" / "serve.py"), LIVEKIT_URL="wss://x")

    assert code == 1
    assert said == "set LIVEKIT_API_KEY, LIVEKIT_API_SECRET\n"


async def test_the_third_party_plugin_passes_its_own_tests() -> None:
    """As its author would run them: in its folder, with its own settings of pytest."""
    folder = EXAMPLES / "third_party_plugin"
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    config = ["-c", str(folder / "pyproject.toml"), str(folder)]
    code, said = await run(*words, *config, PYTHONPATH=str(folder))

    assert code == 0, said
    assert " passed" in said
