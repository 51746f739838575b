"""Which language a speaker is interpreted from, and into which: detected, said, or configured."""

from __future__ import annotations

import time
from typing import Final

import pytest

from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson

from .emulator_client import Sessions
from .hearing import (
    DE,
    EN,
    ES,
    SPEECH_HZ,
    WORDS,
    heard,
    until_heard,
    until_silent,
    until_subscribed,
)
from .stack import SCRIPT, Stack, Worker, ask

pytestmark = pytest.mark.livekit

_LONG_WORDS: Final = tone(SPEECH_HZ, 2.4)
"""Their interpretation, as long, is heard for long after the speaker's last word."""


async def test_the_detected_language_is_left_out(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A speaker of unknown language is interpreted into all until two of their sentences agree."""
    async with (
        stack.room("auto") as room,
        room.person("alice") as alice,
        room.person("bruno", listen="de", microphone=False) as bruno,
        room.person("clara", listen="en", microphone=False) as clara,
        room.person("dora", listen="es", microphone=False) as dora,
    ):
        config = {"languages": ["en", "es", "de"], "spoken_languages": ["es"]}
        await room.dispatch(config)
        (session,) = await sessions.running(1)
        assert session.source_language == "auto"
        assert sorted(session.targets) == ["de", "en", "es"]

        await alice.say(WORDS)
        await until_captioned(bruno, SCRIPT.text(0, "es", "de"))
        (session,) = await sessions.running(1)
        assert sorted(session.targets) == ["de", "en", "es"], "one sentence decides nothing"
        await alice.say(WORDS)
        await sessions.until(
            lambda found: sorted(found[0].targets) == ["de", "en"], "Spanish is left out"
        )
        listeners = {"translation_en": clara, "translation_es": dora, "translation_de": bruno}
        await until_subscribed(dora, "translation_es")
        await until_heard(bruno, "translation_de", DE)
        for track, person in listeners.items():
            await until_silent(person, [track])
        since = time.monotonic()
        await alice.say(WORDS)
        await until_heard(bruno, "translation_de", DE)
        await until_heard(clara, "translation_en", EN)
        for track, person in listeners.items():
            await until_silent(person, [track])

        marker = session.marker_hz
        markers = {EN, ES, DE, marker}
        tones = {it: heard(who, [it], markers, since)[it] for it, who in listeners.items()}
        assert tones == {
            "translation_en": {EN, marker},
            "translation_es": frozenset(),
            "translation_de": {DE, marker},
        }
        assert await sessions.created() == 1
        asked = await sessions.targets_asked_for()
        assert asked[0] == {"en", "es", "de"}
        assert asked[-1] == {"en", "de"}


async def test_a_speaker_may_change_their_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Another `palabra.speak` changes source and targets of the session that there is."""
    async with (
        stack.room("other-language") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="en", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["en", "es"]})
        (first,) = await sessions.running(1)
        assert first.source_language == "en"
        assert list(first.targets) == ["es"]

        await alice.set_attributes({"palabra.speak": "es"})
        (second,) = await sessions.until(
            lambda found: found[0].source_language == "es", "another source language"
        )
        await alice.say(_LONG_WORDS)
        await until_heard(bruno, "translation_en", EN)

        assert second.id == first.id
        assert list(second.targets) == ["en"]
        assert await sessions.created() == 1

        status = await ask(alice, "palabra.status", "")
        channel = next(it for it in status["channels"] if it["language"] == "en")
        assert (status["listeners"], status["interpreted"], status["waiting"]) == (1, 1, 0)
        assert (channel["speakers"], channel["listeners"]) == (1, 1)
        assert channel["ear_voice_span"]["start"]["count"] == 1
        assert channel["ear_voice_span"]["start"]["p50"] > 0

        # without asking, too: from a first number of listeners to a last one without a lag
        told = alice.statuses
        await alice.wait_for(lambda: any(it["lag_seconds"] for it in told), 10, "a lag")
        await alice.wait_for(lambda: not told[-1]["lag_seconds"], 10, "its end")
        assert {it["listeners"] for it in told} == {1}
        assert all(it["lag_seconds"] >= 2 for it in list(told)[1:-1])
        assert not bruno.statuses


async def test_a_listener_may_change_their_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Another `palabra.listen` counts from the next utterance on."""
    async with (
        stack.room("other-listening") as room,
        room.person("alice", speak="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["en", "es", "de"]})
        await sessions.running(1)
        for number, language in enumerate(("es", "de")):
            await bruno.set_attributes({"palabra.listen": language})
            await until_listening(alice, "bruno", language)
            await alice.say(WORDS)
            await until_captioned(bruno, SCRIPT.text(number, language))

        finals = [it.language for it in bruno.captions if it.is_final]
        assert finals == ["es", "de"]


async def test_languages_are_those_that_browsers_and_phones_name(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Neighbours of what is offered are served; who asks for none of it is told, once and alone."""
    async with (
        stack.room("as-browsers-write") as room,
        room.person("alice", speak="en-GB-oxendict") as alice,
        room.person("bruno", language="es-419", microphone=False) as bruno,
        room.person("clara", language="zh-TW", microphone=False) as clara,
        room.person("dora", language="nb-NO") as dora,
    ):
        await room.dispatch({"languages": ["en", "es", "es-mx", "zh-Hans", "zh_Hant"]})
        await sessions.until(
            lambda found: {it.source_language for it in found} == {"en", "no"}, "both are heard"
        )
        await dora.wait_for(lambda: dora.chat, 10, "what is offered")
        await alice.say(WORDS)
        for person, code in ((bruno, "es-mx"), (clara, "zh-hant")):
            await until_captioned_in(person, code)

        async with room.person("erik", listen="tlh", microphone=False) as erik:
            await erik.wait_for(lambda: erik.chat, 10, "what is offered, for who comes late")
            await alice.set_attributes({"palabra.speak": "en"})
            await until_captioned_in(dora, "en")

            told = {person.identity: notices(person) for person in (alice, bruno, clara)}
            assert told == {"alice": [], "bruno": [], "clara": []}
            assert notices(dora) == [
                'You asked to hear "nb-NO", which is not offered here, and get the original. '
                "Offered are en, es, es-mx, zh-hans, zh-hant, and the original."
            ]
            assert [text.partition(", ")[0] for text in notices(erik)] == [
                'You asked to hear "tlh"'
            ]


async def test_the_config_may_know_the_speakers(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """`speakers` says what a silent attribute leaves open, and whom to leave alone."""
    async with (
        stack.room("known-speakers") as room,
        room.person("alice"),
        room.person("bruno", speak="es"),
        room.person("clara", speak="es") as clara,
    ):
        config = {
            "languages": ["en", "es"],
            "speakers": {
                "alice": {"source_language": "es"},
                "bruno": {"interpret": False},
                "cl*": {"source_language": "en"},
            },
        }
        await room.dispatch(config)
        await clara.wait_for_interpreter(20)
        found = await sessions.running(2)

        assert [it.source_language for it in found] == ["es", "es"]
        assert await sessions.created() == 2


async def test_nothing_is_opened_where_nothing_is_to_be_translated(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A speaker of the only language that is offered costs nothing."""
    async with (
        stack.room("same-language") as room,
        room.person("alice", speak="es-mx"),
        room.person("bruno", speak="en"),
    ):
        await room.dispatch({"languages": ["es"]})
        (session,) = await sessions.running(1)

        assert session.source_language == "en"
        assert await sessions.created() == 1


async def until_listening(person: SimulatedPerson, other: str, language: str) -> None:
    """Wait until others see what a person wants to hear."""
    await person.wait_for(
        lambda: person.attributes_of(other).get("palabra.listen") == language, 10, "the wish"
    )


async def until_captioned(person: SimulatedPerson, text: str) -> None:
    """Wait until a person has read a sentence."""
    await person.wait_for(lambda: any(it.text == text for it in person.captions), 20, text)


async def until_captioned_in(person: SimulatedPerson, language: str) -> None:
    """Wait until a person has read a whole sentence in a language."""
    await person.wait_for(
        lambda: any(it.language == language and it.is_final for it in person.captions),
        20,
        f"a sentence in {language}",
    )


def notices(person: SimulatedPerson) -> list[str]:
    """List what the interpreter itself told a person in the chat."""
    return [line.text for line in person.chat if not line.kind]
