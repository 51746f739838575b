"""Who sounds how in a real room: what plugins chose is what Palabra is told, and what is heard."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.local.people import SimulatedPerson
from palabra_emulator.interpreting.markers import CLONED_VOICE, DEFAULT_VOICE
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_spoken_by, until_subscribed
from .stack import SCRIPT, Stack, Worker, ask

pytestmark = pytest.mark.livekit

ES_TRACK: Final = "translation_es"

_LANGUAGES: Final = {"languages": ["es"], "source_language": "en"}
_BROKEN: Final = """
from contextlib import asynccontextmanager
from palabra_agent.plugin import Plugin, PluginConfig, VoicePolicy

class Broken(VoicePolicy):
    async def choose_voice(self, request):
        raise ValueError(request.speaker.name)

@asynccontextmanager
async def open_broken(room, config):
    yield Broken()

plugin = Plugin(PluginConfig, open_broken)
"""


def fixed(voice_id: str) -> dict[str, Any]:
    """What a session is told to speak with one voice."""
    return {"voice_id": voice_id, "voice_cloning": False}


def selection(*rules: dict[str, Any]) -> dict[str, Any]:
    """A room config with rules for voices."""
    return {**_LANGUAGES, "plugins": [{"name": "voice-selection", "config": {"rules": rules}}]}


async def until_voice(
    sessions: Sessions, session_id: str, expected: dict[str, Any], language: str = "es"
) -> None:
    """Wait until the newest task of a session says these things of a voice."""

    async def is_told() -> bool:
        told = await sessions.voices(session_id, language)
        return bool(told) and expected.items() <= told[-1].items()

    await eventually(is_told, f"the session is told {expected}", 15)


async def test_two_speakers_sound_different(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A pool deals each speaker another voice, and who comes back has the same again."""
    async with (
        stack.room("pool") as room,
        room.person("clara", listen="es", microphone=False) as clara,
    ):
        async with room.person("alice") as alice:
            await room.dispatch(selection({"voice": {"pool": ["nova", "orion", "lyra"]}}))
            (first,) = await sessions.running(1)
            await until_voice(sessions, first.id, fixed("nova"))
            async with room.person("bruno") as bruno:
                found = await sessions.running(2)
                second = next(it for it in found if it.id != first.id)
                await until_voice(sessions, second.id, fixed("orion"))
                explained = await ask(
                    bruno, "palabra.explain", {"speaker": "bruno", "language": "es"}
                )
                assert explained["voice"] == {"kind": "fixed", "voice_id": "orion"}
                assert explained["chosen_by"] == "voice-selection"
                await until_subscribed(clara, ES_TRACK)
                await until_spoken_by(clara, ES_TRACK, "nova", alice.say(WORDS))
                await until_spoken_by(clara, ES_TRACK, "orion", bruno.say(WORDS))
        await sessions.over()
        async with room.person("bruno"):
            (third,) = await sessions.running(1)
            await until_voice(sessions, third.id, fixed("orion"))
        # and neither changed on the way
        for session in (first, second, third):
            assert len(await sessions.voices(session.id, "es")) == 1


async def test_an_attribute_changes_the_voice(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The running session is told; it is not replaced, and is heard as before."""
    rules = (
        {"attribute": "bright", "voice": "lyra"},
        {"voice": "orion"},
    )
    async with (
        stack.room("attribute") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(selection(*rules))
        (session,) = await sessions.running(1)
        await until_voice(sessions, session.id, fixed("orion"))
        await alice.set_attributes({"palabra.voice": "bright"})
        await until_voice(sessions, session.id, fixed("lyra"))
        await until_subscribed(bruno, ES_TRACK)
        await until_spoken_by(bruno, ES_TRACK, "lyra", alice.say(WORDS))

        assert await sessions.created() == 1


async def test_a_voice_is_cloned_with_consent_only(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Consent that is given begins it, and consent that is withdrawn ends it."""
    async with (
        stack.room("consent") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(selection({"voice": "clone"}))
        (session,) = await sessions.running(1)
        await until_voice(sessions, session.id, {"voice_cloning": False})
        await until_subscribed(bruno, ES_TRACK)
        await until_spoken_by(bruno, ES_TRACK, DEFAULT_VOICE, alice.say(WORDS))
        await alice.set_attributes({"palabra.voice_consent": "true"})
        await until_voice(sessions, session.id, {"voice_cloning": True, "voice_id": None})
        await until_spoken_by(bruno, ES_TRACK, CLONED_VOICE, alice.say(WORDS))
        await alice.set_attributes({"palabra.voice_consent": "false"})
        await until_voice(sessions, session.id, {"voice_cloning": False})
        await until_spoken_by(bruno, ES_TRACK, DEFAULT_VOICE, alice.say(WORDS))

        assert await sessions.created() == 1


async def test_a_voice_that_palabra_lacks_is_passed_over(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The next one of the pool takes its place, and it is dealt to no one any more."""
    async with stack.room("lacking") as room, room.person("alice"):
        await room.dispatch(selection({"voice": {"pool": ["ghost", "nova", "orion"]}}))
        (first,) = await sessions.running(1)
        await until_voice(sessions, first.id, fixed("nova"))
        async with room.person("bruno"):
            found = await sessions.running(2)
            second = next(it for it in found if it.id != first.id)
            await until_voice(sessions, second.id, fixed("orion"))

            assert len(await sessions.voices(second.id, "es")) == 1


async def test_palabra_may_hear_the_timbre(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The two voices of a language are handed to Palabra's own detection, and both are heard."""
    plugins = [{"name": "voice-timbre", "config": {"high": {"es": "lyra"}, "low": {"es": "orion"}}}]
    async with (
        stack.room("timbre") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({**_LANGUAGES, "plugins": plugins})
        (session,) = await sessions.running(1)
        expected = {
            "voice_timbre_detection": {
                "enabled": True,
                "high_timbre_voices": ["lyra"],
                "low_timbre_voices": ["orion"],
            }
        }
        await until_voice(sessions, session.id, expected)
        await until_subscribed(bruno, ES_TRACK)
        await until_spoken_by(bruno, ES_TRACK, "orion", alice.say(voice(110.0, 1.0)))
        await until_spoken_by(bruno, ES_TRACK, "lyra", alice.say(voice(220.0, 4.0)))


async def test_the_timbre_may_be_heard_here(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A low voice and a high one are told apart from what they say, and get voices that fit."""
    config = {
        "detection": "local",
        "high": {"default": ["lyra", "default_high"]},
        "low": {"default": ["orion", "default_low"]},
    }
    async with (
        stack.room("pitch") as room,
        room.person("alice") as alice,
    ):
        await room.dispatch({**_LANGUAGES, "plugins": [{"name": "voice-timbre", "config": config}]})
        (high,) = await sessions.running(1)
        await alice.say(voice(220.0, 4.0))
        await until_voice(sessions, high.id, fixed("lyra"))
        async with room.person("bruno") as bruno:
            found = await sessions.running(2)
            low = next(it for it in found if it.id != high.id)
            await bruno.say(voice(110.0, 4.0))
            await until_voice(sessions, low.id, fixed("orion"))


def voice(pitch_hz: float, seconds: float) -> Pcm:
    """A vowel: harmonics of a pitch, softer the higher they are, with the pitch of a talker."""
    harmonics = [
        tone(number * pitch_hz, seconds, amplitude=0.2 / number)
        for number in range(1, int(4000 / pitch_hz))
    ]
    return mix(*harmonics).astype(np.int16)


async def test_a_broken_plugin_changes_nothing_else(
    stack: Stack, sessions: Sessions, tmp_path: Path
) -> None:
    """It is passed over and told by name; the next plugin chooses, people are heard."""
    _install(tmp_path, "acme-broken", "acme_broken", _BROKEN)
    config = selection({"voice": "nova"})
    config["plugins"].insert(0, {"name": "acme-broken"})
    async with (
        stack.worker("broken", env={"PYTHONPATH": str(tmp_path)}) as worker,
        stack.room("broken") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch(config, worker.agent_name)
        (session,) = await sessions.running(1)
        await until_voice(sessions, session.id, fixed("nova"))
        explained = await ask(bruno, "palabra.explain", {"speaker": "alice", "language": "es"})
        assert explained["chosen_by"] == "voice-selection"
        assert explained["passed"] == [{"plugin": "acme-broken", "reason": "broke: ValueError"}]

        await until_subscribed(bruno, "translation_es")
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)
        told = [it for it in worker.log_entries if "phase" in it]
        assert [(it["plugin"], it["phase"]) for it in told] == [("acme-broken", "call")]


async def test_a_transcript_is_on_disk_while_the_meeting_goes_on(
    stack: Stack, sessions: Sessions, tmp_path: Path
) -> None:
    """What is said stands in files, without names; changed meanwhile, no word of it is lost."""
    settings = (
        'allowed_plugins = ["transcript-export"]\n'
        f'[plugins.transcript-export]\ndirectory = "{tmp_path}"\n'
    )
    async with (
        stack.worker("export", settings=settings) as worker,
        stack.room("../export") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        config = {**_LANGUAGES, "organisers": ["bruno"]}
        await room.dispatch(
            {**config, "plugins": [{"name": "transcript-export"}]}, worker.agent_name
        )
        await sessions.running(1)
        await alice.say(WORDS)

        async def is_written() -> bool:
            return SCRIPT.text(0, "es") in _everything_in(tmp_path)

        await eventually(is_written, "the translation is on disk", 15)
        written = _everything_in(tmp_path)
        assert SCRIPT.text(0, "en") in written
        assert "alice" not in written.lower()

        with_names = [{"name": "transcript-export", "config": {"names": True}}]
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(_say_twice(alice))
            await ask(bruno, "palabra.configure", {"plugins": with_names})
            assert not speaking.done()

        async def are_written() -> bool:
            return SCRIPT.text(2, "es") in _everything_in(tmp_path)

        await eventually(are_written, "what was said since is on disk", 15)
        for sentence in range(3):
            for language in ("en", "es"):
                assert _lines_in(tmp_path).count(SCRIPT.text(sentence, language)) == 1
        told = [it.text for it in bruno.chat if not it.kind]
        assert told == ["What is said here is written down, with the names of the speakers."]
        before, after = _meetings_in(tmp_path)
        assert "Alice:" not in (before / "en.srt").read_text("utf-8")
        assert "Alice:" in (after / "en.srt").read_text("utf-8")


async def _say_twice(person: SimulatedPerson) -> None:
    for _ in range(2):
        await person.say(WORDS)
        await person.say(np.zeros(SAMPLE_RATE, np.int16))


def _meetings_in(folder: Path) -> list[Path]:
    """The folders of transcripts, the oldest first."""
    return sorted(folder.glob("*/*"))


def _lines_in(folder: Path) -> list[str]:
    """The texts of all JSON lines."""
    files = folder.rglob("*.jsonl")
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return [json.loads(line)["text"] for line in lines]


def _everything_in(folder: Path) -> str:
    # JSON may spell letters in another way than people do
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    return "\n".join(texts)


def _install(folder: Path, name: str, module: str, source: str) -> None:
    """Put a distribution with one plugin where Python finds it."""
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    information = folder / f"{module}-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
    )
    (information / "entry_points.txt").write_text(
        f"[palabra_agent.plugins]\n{name} = {module}:plugin\n", encoding="utf-8"
    )
