"""Tests of plugins: a room without LiveKit and Palabra, and facts made for a test.

    from palabra_agent.plugin import FixedVoice
    from palabra_agent.testing import Entry, simulated_room, without_waiting

    @without_waiting
    async def test_everybody_sounds_as_configured() -> None:
        async with simulated_room(Entry(plugin, {"voice": "default_low"})) as room:
            room.join("alice", source_language="en")

            assert await room.voice_of("alice", "es") == FixedVoice("default_low")

The plugin is configured, opened, asked and closed by the very code that does it in a real room: a
wrong config raises with the sentences that a room would show, and a plugin that breaks is passed
over; `room.failures` tells what it did. Deadlines and pauses are the real ones too, which is why
`without_waiting` has a clock that jumps over them.
"""

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.errors import PluginError, RoomConfigError, SettingsError
from palabra_agent.testing.clock import without_waiting
from palabra_agent.testing.entries import Entry
from palabra_agent.testing.facts import a_speaker, a_speech, transcript_event, voice_request
from palabra_agent.testing.room import SimulatedRoom, simulated_room

__all__ = [
    "Entry",
    "PluginError",
    "RoomConfigError",
    "SettingsError",
    "SimulatedRoom",
    "Verdict",
    "a_speaker",
    "a_speech",
    "simulated_room",
    "transcript_event",
    "voice_request",
    "without_waiting",
]
