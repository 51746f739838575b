"""voice-selection in a room: opened and asked by the code that does it in real ones."""

from __future__ import annotations

import pytest
from palabra_agent_voice_selection import plugin

from palabra_agent.plugin import ClonedVoice, FixedVoice
from palabra_agent.testing import Entry, SimulatedRoom, simulated_room, without_waiting

pytestmark = pytest.mark.unit

POOL = {"voice": {"pool": ["a", "b", "c"]}}
CONSENT = "palabra.voice_consent"


def rules(*given: object, **more: object) -> Entry:
    """The plugin with these rules."""
    return Entry(plugin, {"rules": list(given), **more})


async def voices(room: SimulatedRoom, *identities: str, language: str = "es") -> list[str]:
    """The ids of the voices that some have in a language."""
    chosen = [await room.voice_of(identity, language) for identity in identities]
    return [getattr(voice, "voice_id", str(voice)) for voice in chosen]


@without_waiting
async def test_a_pool_serves_a_room() -> None:
    """Everybody gets another voice in every language, and the same one on coming back."""
    async with simulated_room(rules(POOL)) as room:
        for identity in ("alice", "bob"):
            room.join(identity, source_language="en")
        before = await voices(room, "alice", "bob")
        german = await voices(room, "alice", "bob", language="de")
        room.leave("alice")
        room.join("carol", source_language="en")
        newcomer = await voices(room, "carol")
        room.join("alice", source_language="en")
        after = await voices(room, "alice", "bob", "carol")

    assert sorted(before) == sorted(german) == ["a", "b"]
    assert after == [*before, *newcomer]
    assert newcomer == ["c"]
    assert room.failures == []


@without_waiting
async def test_a_voice_that_palabra_lacks_is_replaced() -> None:
    """Another of the pool is dealt, and where none is left the next rule serves."""
    async with simulated_room(rules(POOL, {"voice": "last"})) as room:
        room.join("alice", source_language="en")
        had = list[str]()
        for _ in range(4):
            had += await voices(room, "alice")
            room.lose_voice(had[-1])

        assert had == ["a", "b", "c", "last"]
        assert await room.voice_of("alice", "es") is None


@without_waiting
async def test_consent_is_given_and_withdrawn_in_a_room() -> None:
    """An attribute changes the voice, in both directions."""
    async with simulated_room(rules({"voice": "clone"}, {"voice": "v"})) as room:
        room.join("alice", source_language="en")
        assert await room.voice_of("alice", "es") == FixedVoice("v")

        room.change("alice", attributes={CONSENT: "true"})
        assert await room.voice_of("alice", "es") == ClonedVoice()

        room.change("alice", attributes={CONSENT: ""})
        assert await room.voice_of("alice", "es") == FixedVoice("v")


@without_waiting
async def test_people_ask_for_a_voice_by_attribute() -> None:
    """They get what is allowed, and what the next rule says for what is not."""
    async with simulated_room(rules({"voice": {"attribute": ["x-*"]}}, {"voice": "v"})) as room:
        room.join("alice", source_language="en", attributes={"palabra.voice": "x-1"})
        room.join("bob", source_language="en", attributes={"palabra.voice": "y-1"})
        assert await voices(room, "alice", "bob") == ["x-1", "v"]


@without_waiting
async def test_a_language_that_is_heard_changes_the_voice() -> None:
    """A rule by source language applies as soon as it is known."""
    spanish = {"source_language": "es", "voice": "s"}
    async with simulated_room(rules(spanish, {"voice": "v"})) as room:
        room.join("alice")
        before = await voices(room, "alice", language="de")
        room.detect("alice", "es")

        assert before + await voices(room, "alice", language="de") == ["v", "s"]


@without_waiting
async def test_the_room_is_told_why_nobody_is_cloned() -> None:
    """Where no rule serves, the next plugin is asked, and the reason can be read."""
    async with simulated_room(rules({"voice": "clone"}), rules({"voice": "v"})) as room:
        room.join("alice", source_language="en")
        verdict = await room.explain("alice", "es")

    assert verdict.choice == FixedVoice("v")
    ((_, reason),) = verdict.passed
    assert reason == "rules[0]: the speaker has not agreed to be cloned"


@without_waiting
async def test_a_changed_config_keeps_voices() -> None:
    """Another rule for somebody else leaves everybody else's voice as it is."""
    async with simulated_room(rules(POOL)) as room:
        for identity in ("alice", "bob", "carol"):
            room.join(identity, source_language="en")
        before = await voices(room, "alice", "bob", "carol")
        await room.reconfigure(rules({"speaker": "bob", "voice": "v"}, POOL))

        assert await voices(room, "alice", "bob", "carol") == [before[0], "v", before[2]]
