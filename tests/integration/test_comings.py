"""Comings and goings of speakers: what ends a Palabra session, and what does not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager

import pytest
from livekit import api, rtc

from palabra_agent.audio.rtc import AudioOutput
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson

from .emulator_client import Sessions
from .hearing import EN, ES, WORDS, heard, until_heard, until_silent, until_subscribed
from .stack import Room, Stack, Worker

pytestmark = pytest.mark.livekit

ES_TRACK = "translation_es"

Speaks = Callable[[], Coroutine[None, None, None]]


@asynccontextmanager
async def one_speaker(
    stack: Stack, sessions: Sessions, name: str, *, linger: float = 0.3
) -> AsyncGenerator[tuple[Room, SimulatedPerson, SimulatedPerson]]:
    """Alice speaks English, Bruno listens in Spanish, and the session runs."""
    async with (
        stack.room(name) as room,
        room.person("bruno", listen="es", microphone=False) as bruno,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        config = {"languages": ["en", "es"], "limits": {"linger_seconds": linger}}
        await room.dispatch(config)
        await sessions.running(1)
        await until_subscribed(bruno, ES_TRACK)
        yield room, alice, bruno


async def is_interpreted(speaker: SimulatedPerson, listener: SimulatedPerson) -> None:
    """A person speaks, and is heard in Spanish; returns in the silence after it."""
    async with asyncio.TaskGroup() as group:
        group.create_task(speaker.say(WORDS))
        group.create_task(until_heard(listener, ES_TRACK, ES))
    await until_silent(listener, [ES_TRACK])


async def test_mute_and_unmute_keep_the_session(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A speaker who is muted is paused, for as long as they like, and interpreted afterwards."""
    async with one_speaker(stack, sessions, "mute") as (_, alice, bruno):
        await is_interpreted(alice, bruno)
        alice.mute()
        await sessions.until(lambda found: [it.state for it in found] == ["paused"], "a pause")
        # Palabra ends a session that runs without sound for ten seconds
        began = time.monotonic()
        while time.monotonic() - began < 11:
            assert [it.state for it in await sessions.all()] == ["paused"]
            await asyncio.sleep(0.5)
        alice.unmute()
        await is_interpreted(alice, bruno)

        assert await sessions.created() == 1


async def test_a_microphone_may_come_later(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A person who only listened is interpreted from when they speak."""
    async with (
        one_speaker(stack, sessions, "later") as (room, _, bruno),
        room.person("clara", speak="en", microphone=False) as clara,
    ):
        await clara.wait_for_interpreter(20)
        assert await sessions.created() == 1
        await clara.publish_microphone()
        await sessions.running(2)
        await is_interpreted(clara, bruno)

        assert await sessions.created() == 2


async def test_a_new_microphone_keeps_the_session(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A speaker who unpublishes and publishes again is the same speaker."""
    async with one_speaker(stack, sessions, "republish", linger=5) as (_, alice, bruno):
        await is_interpreted(alice, bruno)
        first = alice.microphone_sid
        await alice.unpublish_microphone()
        await alice.publish_microphone()
        assert alice.microphone_sid != first
        await is_interpreted(alice, bruno)

        assert await sessions.created() == 1


async def test_a_speaker_who_returns_within_the_linger_keeps_their_session(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Leaving and coming back soon, with another participant id, costs nothing."""
    async with one_speaker(stack, sessions, "rejoin", linger=15) as (room, alice, bruno):
        await is_interpreted(alice, bruno)
        await alice.leave()
        await bruno.wait_for(lambda: "alice" not in bruno.room.remote_participants, 10)
        async with room.person("alice", speak="en", listen="en") as again:
            await is_interpreted(again, bruno)

        assert await sessions.created() == 1


async def test_a_speaker_who_stays_away_loses_their_session(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """After the linger the session is ended and deleted; coming back later makes a new one."""
    async with one_speaker(stack, sessions, "away", linger=0.5) as (room, alice, bruno):
        await alice.leave()
        (gone,) = await sessions.deleted(10)
        assert gone.end_reason in {"end_task force", "deleted"}

        async with room.person("alice", speak="en", listen="en") as again:
            await sessions.running(1)
            await is_interpreted(again, bruno)

        assert await sessions.created() == 2


async def test_a_full_reconnect_of_a_speaker_keeps_the_session(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A speaker whose connection is rebuilt from nothing is the same speaker."""
    async with one_speaker(stack, sessions, "reconnect", linger=10) as (_, alice, bruno):
        await is_interpreted(alice, bruno)
        back = asyncio.Event()
        alice.room.on("reconnected", back.set)
        await alice.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        async with asyncio.timeout(20):
            await back.wait()
        await is_interpreted(alice, bruno)

        assert await sessions.created() == 1


async def test_a_full_reconnect_of_a_listener_keeps_the_interpretation(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A listener whose connection is rebuilt hears and reads what comes afterwards."""
    async with one_speaker(stack, sessions, "reconnect-listener") as (_, alice, bruno):
        back = asyncio.Event()
        bruno.room.on("reconnected", back.set)
        await bruno.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        async with asyncio.timeout(20):
            await back.wait()
        await until_subscribed(bruno, ES_TRACK)
        await is_interpreted(alice, bruno)
        await bruno.wait_for(lambda: any(it.is_final for it in bruno.captions), 10, "a caption")

        assert await sessions.created() == 1


async def test_only_peoples_microphones_are_interpreted(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The sound of a shared screen and of another agent costs no session and is not translated."""
    async with (
        one_speaker(stack, sessions, "others") as (room, alice, bruno),
        another_agent(stack, room.name) as agent_speaks,
        shared_screen(bruno) as screen_plays,
    ):
        (session,) = await sessions.all()
        since = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(agent_speaks())
            group.create_task(screen_plays())
        await is_interpreted(alice, bruno)

        assert await sessions.created() == 1
        assert len(await sessions.entries("utterance")) == 1
        tracks = ("translation_en", ES_TRACK)
        assert heard(bruno, tracks, {EN, ES, session.marker_hz}, since) == {
            "translation_en": frozenset(),
            ES_TRACK: {ES, session.marker_hz},
        }


@asynccontextmanager
async def another_agent(stack: Stack, room_name: str) -> AsyncGenerator[Speaks]:
    """An agent that is not ours is in the room, with a microphone."""
    token = (
        api.AccessToken(stack.livekit.api_key, stack.livekit.api_secret)
        .with_identity("another-agent")
        .with_kind("agent")
        .with_grants(api.VideoGrants(room_join=True, room=room_name, agent=True))
        .to_jwt()
    )
    room, voice = rtc.Room(), AudioOutput("agent-voice")
    try:
        await room.connect(stack.livekit.url, token)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await room.local_participant.publish_track(voice.track, options)
        yield lambda: play(voice)
    finally:
        await room.disconnect()
        await voice.aclose()


@asynccontextmanager
async def shared_screen(person: SimulatedPerson) -> AsyncGenerator[Speaks]:
    """A person shares a screen that has sound."""
    sound = AudioOutput("screen-sound")
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
    publication = await person.room.local_participant.publish_track(sound.track, options)
    try:
        yield lambda: play(sound)
    finally:
        await person.room.local_participant.unpublish_track(publication.sid)
        await sound.aclose()


async def play(output: AudioOutput) -> None:
    """Play a second of sound."""
    sound = tone(350, 1.0)
    for place in range(0, sound.size, 960):
        await output.write(sound[place : place + 960])
