"""The plugin, as a room sees it: no LiveKit, no Palabra."""

from __future__ import annotations

import pytest
from acme_interpreter_voices import plugin

from palabra_agent.plugin import FixedVoice
from palabra_agent.testing import Entry, RoomConfigError, simulated_room, without_waiting

CONFIG = {
    "voices": {
        "es": {"presenter": "acme_carmen", "guest": "acme_luis"},
        "es-mx": {"presenter": "acme_frida", "guest": "acme_diego"},
    },
    "presenters": ["host-*"],
}
LANGUAGES = ("es", "es-mx", "de")


@without_waiting
async def test_presenters_and_guests_have_voices_of_their_own() -> None:
    """Patterns and the studio's attribute make presenters; all others are guests."""
    async with simulated_room(Entry(plugin, CONFIG), languages=LANGUAGES) as room:
        room.join("host-anna", source_language="en")
        room.join("marta", source_language="en", attributes={"acme.role": "presenter"})
        room.join("guest", source_language="en")

        assert await room.voice_of("host-anna", "es") == FixedVoice("acme_carmen")
        assert await room.voice_of("host-anna", "es-mx") == FixedVoice("acme_frida")
        assert await room.voice_of("marta", "es") == FixedVoice("acme_carmen")
        assert await room.voice_of("guest", "es") == FixedVoice("acme_luis")


@without_waiting
async def test_a_guest_may_become_a_presenter() -> None:
    """The voice changes with the attribute."""
    async with simulated_room(Entry(plugin, CONFIG), languages=LANGUAGES) as room:
        room.join("marta", source_language="en")
        assert await room.voice_of("marta", "es") == FixedVoice("acme_luis")

        room.change("marta", attributes={"acme.role": "presenter"})
        assert await room.voice_of("marta", "es") == FixedVoice("acme_carmen")


@without_waiting
async def test_languages_without_voices_are_left_to_others() -> None:
    """It passes, and says why."""
    async with simulated_room(Entry(plugin, CONFIG), languages=LANGUAGES) as room:
        room.join("host-anna", source_language="en")
        verdict = await room.explain("host-anna", "de")

    assert verdict.choice is None
    assert verdict.passed == (("plugin", "the house has no voices in de"),)


@without_waiting
async def test_a_wrong_config_is_told_with_its_path() -> None:
    """All mistakes at once, in a sentence each."""
    wrong = {"voices": {"es": {"presenter": ""}}, "presenter": ["host-*"]}

    with pytest.raises(RoomConfigError) as refused:
        async with simulated_room(Entry(plugin, wrong)):
            pass

    assert {problem.path for problem in refused.value.problems} == {
        "plugins[0].config.voices.es.presenter",
        "plugins[0].config.voices.es.guest",
        "plugins[0].config.presenter",
    }
