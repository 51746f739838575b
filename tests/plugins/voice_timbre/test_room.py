"""The plugin in a room, by the very code that opens and asks it in a real one."""

from __future__ import annotations

from typing import Any, Final

import pytest
from palabra_agent_voice_timbre import plugin

from palabra_agent.plugin import FixedVoice, TimbreMatchedVoice
from palabra_agent.testing import Entry, RoomConfigError, simulated_room, without_waiting
from tests.plugins.voice_timbre.spoken import synthetic_voice

pytestmark = pytest.mark.unit

LOCAL: Final = {
    "detection": "local",
    "high": {"default": ["maria", "ana"]},
    "low": {"default": ["jose", "luis"]},
}


@without_waiting
async def test_speakers_are_heard_and_get_voices_of_their_own() -> None:
    """Palabra chooses until three seconds were heard; then the pitch does, in every language."""
    async with simulated_room(Entry(plugin, LOCAL)) as room:
        room.join("alice", source_language="en")
        room.join("bob", source_language="de")
        room.join("carol", source_language="en")
        begun = await room.voice_of("bob", "es")
        for identity, pitch_hz in (("alice", 210), ("bob", 110), ("carol", 230)):
            await room.speak(identity, synthetic_voice(pitch_hz, 3.0))

        voices = [await room.voice_of(who, "es") for who in ("alice", "bob", "carol")]
        verdict = await room.explain("alice", "de")
        failures = list(room.failures)

    assert begun == TimbreMatchedVoice("ana", "luis")
    assert voices == [*map(FixedVoice, ("maria", "luis", "ana"))]
    assert (verdict.choice, verdict.chosen_by) == (FixedVoice("maria"), "plugin")
    assert failures == []


@without_waiting
async def test_who_comes_back_sounds_as_before() -> None:
    """Their voice is kept for them, and what was heard of them is not forgotten."""
    async with simulated_room(Entry(plugin, LOCAL)) as room:
        room.join("alan", source_language="en")
        await room.speak("alan", pitch_hz=110)
        room.leave("alan")
        room.join("bob", source_language="en")
        await room.speak("bob", pitch_hz=120)
        bob = await room.voice_of("bob", "es")
        room.join("alan", source_language="en")

        assert await room.voice_of("alan", "es") == FixedVoice("jose")
        assert bob == FixedVoice("luis")


@without_waiting
async def test_a_voice_that_palabra_lacks_is_replaced_in_the_room() -> None:
    """Whoever had it gets another of their class."""
    async with simulated_room(Entry(plugin, LOCAL)) as room:
        room.join("alan", source_language="en")
        await room.speak("alan", pitch_hz=110)
        room.lose_voice("jose")

        assert await room.voice_of("alan", "es") == FixedVoice("luis")


@without_waiting
async def test_the_next_plugin_is_asked_where_there_is_no_voice() -> None:
    """`palabra.explain` tells that there is none for the language."""
    said = {"high": {"es": "maria"}, "low": {"es": "jose"}}
    async with simulated_room(Entry(plugin, said, name="here"), Entry(plugin)) as room:
        room.join("alice", source_language="en")
        verdict = await room.explain("alice", "de")

    assert verdict.choice == TimbreMatchedVoice()
    assert verdict.passed == (("here", "no voices for de"),)


@pytest.mark.parametrize(
    ("config", "problems"),
    [
        ({"high": {"es": ["a", "b"]}, "treshold_hz": 150}, [
            "plugins[0].config.high.es: has 2 voices, but Palabra's own detection takes exactly "
            'one; `"detection": "local"` takes more',
            'plugins[0].config.treshold_hz: unknown key, did you mean "threshold_hz"?',
        ]),
        ({"detection": "locl", "low": "jose"}, [
            'plugins[0].config.detection: must be "palabra" or "local", not "locl", '
            'did you mean "local"?',
            'plugins[0].config.low: must be an object, not "jose"',
        ]),
        ({"threshold_hz": 150}, [
            'plugins[0].config.threshold_hz: cannot be 150: it holds with `"detection": "local"` '
            "alone: Palabra decides this by itself",
        ]),
        ({"detection": "local", "classes": [{"up_to_hz": 20, "voices": {"Spanish": "a"}}]}, [
            "plugins[0].config.classes[0].up_to_hz: must be at least 60, not 20",
            'plugins[0].config.classes[0].voices.Spanish: "spanish" is not a known language, '
            'did you mean "es"? `palabra-agent schema` lists the codes',
        ]),
    ],
)  # fmt: skip
@without_waiting
async def test_a_room_is_told_what_is_wrong(config: dict[str, Any], problems: list[str]) -> None:
    """Every mistake is told at once, in a sentence, with its place in the room's config."""
    with pytest.raises(RoomConfigError) as caught:
        async with simulated_room(Entry(plugin, config)):
            pass

    assert [str(problem) for problem in caught.value.problems] == problems
