"""A listener chooses in mid-meeting what they hear: in the chat, by RPC and by an attribute."""

from __future__ import annotations

import pytest

from palabra_agent.local.people import SimulatedPerson

from .emulator_client import Sessions
from .hearing import DE, ES, WORDS, until_heard, until_subscribed
from .stack import Stack, Worker, ask

pytestmark = pytest.mark.livekit


def answers_to(person: SimulatedPerson) -> list[str]:
    """What the interpreter wrote to a person about their choice."""
    return [it.text for it in person.chat if it.text.startswith("You hear")]


def channels_of(person: SimulatedPerson) -> list[str]:
    """The channels that a person receives."""
    return [track for track in person.tracks if track.startswith("translation_")]


async def test_a_listener_is_served_as_they_last_said(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """One session follows them all; nothing is interpreted before and after."""
    async with (
        stack.room("wishes") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["es", "de"], "always_on": []})
        await alice.wait_for_interpreter(20)
        await alice.say(WORDS)
        assert await sessions.created() == 0

        await bruno.write("/lang es")
        await until_subscribed(bruno, "translation_es")
        await sessions.running(1)
        await alice.say(WORDS)
        await until_heard(bruno, "translation_es", ES)
        assert answers_to(bruno) == ["You hear es from now on. /lang original ends that."]
        assert answers_to(alice) == []

        assert await ask(bruno, "palabra.listen", {"language": "de-AT"}) == {"language": "de"}
        await until_subscribed(bruno, "translation_de")
        await sessions.until(lambda found: "de" in found[0].targets, "German is interpreted")
        await alice.say(WORDS)
        await until_heard(bruno, "translation_de", DE)
        assert await ask(bruno, "palabra.languages", {}) == {
            "languages": ["es", "de"],
            "listen": "de",
            "speak": "auto",
        }

        await bruno.set_attributes({"palabra.listen": "original"})
        await bruno.wait_for(lambda: not channels_of(bruno), 10, "no channel any more")
        await sessions.deleted()
        await bruno.wait_for(
            lambda: not bruno.attributes_of().get("palabra.live"), 10, "no channel"
        )
        assert await sessions.created() == 1
