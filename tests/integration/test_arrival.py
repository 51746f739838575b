"""The arrival of the interpreter in a room, and what all participants see of it."""

from __future__ import annotations

import pytest
from livekit import rtc

from palabra_agent.local.people import AGENT_IDENTITY

from .emulator_client import Sessions
from .stack import Stack, Worker

pytestmark = pytest.mark.livekit


async def test_a_dispatch_brings_the_interpreter(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """All see who it is, that it is ready, what it offers, and a track per language."""
    async with (
        stack.room("arrival") as room,
        room.person("alice", speak="en", listen="en", microphone=False) as alice,
    ):
        await room.dispatch({"languages": ["es", "de"]})
        await alice.wait_for_interpreter(20)
        await alice.wait_for(
            lambda: {"translation_es", "translation_de"} <= alice.tracks, 10, "both tracks"
        )

        interpreter = alice.room.remote_participants[AGENT_IDENTITY]
        assert interpreter.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        assert (interpreter.identity, interpreter.name) == ("palabra-interpreter", "Interpreter")
        assert alice.tracks == {"translation_es", "translation_de"}
        shown = {
            key: value for key, value in alice.attributes_of().items() if key.startswith("palabra.")
        }
        assert shown == {
            "palabra.state": "live",
            "palabra.languages": "es,de",
            "palabra.live": "es,de",
        }
        assert await sessions.created() == 0


async def test_empty_metadata_means_the_defaults(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A dispatch that says nothing gets the worker's own room config."""
    async with (
        stack.room("arrival-defaults") as room,
        room.person("alice", microphone=False) as alice,
    ):
        await room.dispatch()
        await alice.wait_for_interpreter(20)

        assert alice.attributes_of()["palabra.languages"] == "en,es"
