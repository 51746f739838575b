"""What people type in the chat, translated for the others and spoken on their channels."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from palabra_agent.interpretation.chat_translation import TOO_MANY
from palabra_agent.local.people import SimulatedPerson
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import DE, EN, ES, heard, until_heard, until_silent, until_subscribed
from .stack import SCRIPT, Stack, Worker, ask

pytestmark = pytest.mark.livekit

CONFIG: Final = {
    "languages": ["en", "es", "de"],
    "always_on": [],
    "organisers": ["alice"],
    "chat": {"translate": True, "speak": True},
}


def read_by(person: SimulatedPerson) -> list[tuple[str, str, str]]:
    """What a person read of what others typed: author, language, text."""
    return [(it.speaker, it.language, it.text) for it in person.chat if it.kind == "translation"]


def told(person: SimulatedPerson) -> list[str]:
    """What the interpreter told a person, beside translations."""
    own = person.interpreter
    return [it.text for it in person.chat if own and it.sender == own.identity and not it.kind]


async def until_read(person: SimulatedPerson, author: str, number: int, language: str) -> None:
    """Wait until a person has read a sentence of an author's."""
    line = (author, language, f"{author.title()}: {SCRIPT.text(number, language)}")
    await person.wait_for(lambda: line in read_by(person), 20, f"{line} for {person.identity}")


async def until_spoken(sessions: Sessions, utterance: str) -> None:
    """Wait until Palabra has spoken Spanish to the end, whether or not it was listened to."""

    async def was_spoken() -> bool:
        spoken = [it.data for it in await sessions.entries("spoke")]
        return any(it["transcription_id"] == utterance and it["language"] == "es" for it in spoken)

    await eventually(was_spoken, "the text is spoken", 20)


async def spoken_texts(sessions: Sessions) -> list[dict[str, Any]]:
    """What Palabra was told to translate, in order; it has refused none of it."""
    commands = [it.data for it in await sessions.entries("command")]
    texts = [it for it in commands if it["message_type"] == "tts_task"]
    assert {it["outcome"] for it in texts} <= {"ok"}
    return [it["data"] for it in texts]


async def test_what_is_typed_is_read_and_heard_by_those_who_want_another_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """By no others, once, and without a loop; a flood and a command are not; and it can be mute."""
    async with (
        stack.room("typing") as room,
        room.person("alice", speak="en", listen="en", microphone=False) as alice,
        room.person("bruno", language="es", microphone=False) as bruno,
        room.person("clara", listen="de", microphone=False) as clara,
        room.person("dora", speak="de", listen="original", microphone=False) as dora,
    ):
        await room.dispatch(CONFIG)
        for person, language in ((alice, "en"), (bruno, "es"), (clara, "de")):
            await until_subscribed(person, f"translation_{language}")

        since = time.monotonic()
        await alice.write(SCRIPT.text(0, "en"))
        await until_read(bruno, "alice", 0, "es")
        await until_read(clara, "alice", 0, "de")
        await until_heard(bruno, "translation_es", ES)
        await until_heard(clara, "translation_de", DE)
        # another app repeats what we wrote, and a person asks for help
        await dora.write(f"Alice: {SCRIPT.text(0, 'es')}")
        await dora.write("/help")
        await bruno.write(SCRIPT.text(1, "es"))
        await until_read(alice, "bruno", 1, "en")
        await until_read(clara, "bruno", 1, "de")
        await until_heard(alice, "translation_en", EN)
        for person, language in ((alice, "en"), (bruno, "es"), (clara, "de")):
            await until_silent(person, [f"translation_{language}"])
        assert heard(bruno, ["translation_es"], {EN, ES, DE}, since) == {"translation_es": {ES}}
        assert heard(alice, ["translation_en"], {EN, ES, DE}, since) == {"translation_en": {EN}}

        for number in range(30):
            await dora.write(f"Nummer {number}")
        await dora.wait_for(lambda: TOO_MANY in told(dora), 10, "that it is too much")
        await ask(alice, "palabra.configure", {"chat": {"speak": False}})
        await until_silent(bruno, ["translation_es"])
        since, last = time.monotonic(), SCRIPT.text(2, "es")
        await alice.write(SCRIPT.text(2, "en"))
        await until_read(bruno, "alice", 2, "es")
        utterance = next(it.transcription_id for it in bruno.chat if it.text.endswith(last))
        await until_spoken(sessions, utterance)
        await alice.wait_for(lambda: "dora" in [it.speaker for it in alice.chat], 20, "Dora's")

        texts = await spoken_texts(sessions)
        assert [it["text"] for it in texts if not it["text"].startswith("Nummer")] == [
            SCRIPT.text(0, "en"),
            SCRIPT.text(1, "es"),
            SCRIPT.text(2, "en"),
        ]
        assert 0 < len(texts) - 3 <= 5
        assert read_by(dora) == []
        assert [who for who, _, _ in read_by(bruno) if who == "bruno"] == []
        assert len(told(dora)) == 2
        assert [told(it) for it in (alice, bruno, clara)] == [[], [], []]
        assert [list(it.captions) for it in (alice, bruno, clara, dora)] == [[], [], [], []]
        assert heard(bruno, ["translation_es"], {EN, ES, DE}, since) == {"translation_es": set()}
