"""The arrival of the interpreter in a room, and what all participants see of it."""

from __future__ import annotations

import pytest
from livekit import rtc

from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson

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
        await room.dispatch({"languages": ["es", "de"], "always_on": ["es", "de"]})
        await alice.wait_for_interpreter(20)
        both = {"translation_es", "translation_de"}
        await alice.wait_for(lambda: both <= published_by(alice), 10, "both tracks")
        await alice.wait_for(
            lambda: alice.attributes_of().get("palabra.live") == "es,de", 10, "both channels live"
        )

        interpreter = alice.room.remote_participants[AGENT_IDENTITY]
        assert interpreter.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        assert (interpreter.identity, interpreter.name) == ("palabra-interpreter", "Interpreter")
        assert published_by(alice) == both
        assert alice.tracks == frozenset(), "alice listens to neither"
        shown = {
            key: value for key, value in alice.attributes_of().items() if key.startswith("palabra.")
        }
        assert shown == {
            "palabra.state": "live",
            "palabra.languages": "es,de",
            "palabra.live": "es,de",
            "palabra.synthetic": "true",
        }
        assert alice.attributes_of()["lk.agent.state"] == "listening"
        assert await sessions.created() == 0


def published_by(person: SimulatedPerson) -> set[str]:
    """The names of the interpreter's tracks, as a person sees them."""
    interpreter = person.room.remote_participants[AGENT_IDENTITY]
    return {it.name for it in interpreter.track_publications.values()}


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

        assert not alice.attributes_of().get("palabra.languages"), "all are offered"
