"""The first words of a speaker: they wait for a session, and no session waits for them in vain."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson
from palabra_emulator.interpreting.utterances import HEARING_RATE
from tests.palabra_emulator.watching import heard_by

from .emulator_client import Sessions
from .hearing import ES, SPEECH_HZ, WORDS, until_heard, until_subscribed
from .stack import Stack, Worker

pytestmark = pytest.mark.livekit

ES_TRACK = "translation_es"
SENTENCE = tone(SPEECH_HZ, 1.2)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_who_speaks_as_soon_as_they_can_be_heard_is_read(
    stack: Stack, worker: Worker, sessions: Sessions, transport: str
) -> None:
    """A session is opened only then, and hears the sentence whole."""
    async with (
        stack.room(f"first-words-{transport}") as room,
        room.person("bruno", listen="es", microphone=False) as bruno,
        room.person("alice", speak="en", listen="en", microphone=False) as alice,
    ):
        await room.dispatch({"languages": ["es"], "palabra": {"transport": transport}})
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        microphone = await alice.publish("microphone")
        await microphone.publication.wait_for_subscription()
        assert await sessions.running(0) == []
        async with asyncio.TaskGroup() as group:
            group.create_task(microphone.say(SENTENCE))
            group.create_task(until_heard(bruno, ES_TRACK, ES))
        await bruno.wait_for(lambda: any(it.is_final for it in bruno.captions), 10, "a caption")

        (session,) = await sessions.all()
        assert await sounding_seconds(sessions.url, session.id) > 1.15


async def test_who_is_muted_costs_nothing_until_they_unmute(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A microphone that is published muted opens no session; the first words open one."""
    async with (
        stack.room("muted") as room,
        room.person("bruno", listen="es", microphone=False) as bruno,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        alice.mute()
        await bruno.wait_for(lambda: is_muted(bruno, "alice"), 10, "Alice muted")
        await room.dispatch({"languages": ["es"]})
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        began = time.monotonic()
        while time.monotonic() - began < 2:
            assert await sessions.created() == 0
            await asyncio.sleep(0.2)

        alice.unmute()
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(WORDS))
            group.create_task(until_heard(bruno, ES_TRACK, ES))
        assert await sessions.created() == 1


def is_muted(person: SimulatedPerson, other: str) -> bool:
    """Whether a person sees another one's microphone as muted."""
    participant = person.room.remote_participants.get(other)
    tracks = participant.track_publications.values() if participant is not None else ()
    return any(it.muted for it in tracks)


async def sounding_seconds(url: str, session_id: str) -> float:
    """How long a session heard something loud."""
    samples = await heard_by(url, session_id)
    hundredth = HEARING_RATE // 100
    hundredths = samples[: samples.size // hundredth * hundredth].reshape(-1, hundredth)
    return float((np.abs(hundredths).max(axis=1) > 1000).sum() / 100)
