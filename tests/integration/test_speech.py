"""Who hears whom, in which language: proved by the tones that the emulator speaks with."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE
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
from .stack import Stack, Worker, ask

pytestmark = pytest.mark.livekit

TRACKS = ("translation_en", "translation_es", "translation_de")

LONG = tone(SPEECH_HZ, 1.7)
SHORT = np.concatenate((np.zeros(SAMPLE_RATE * 6 // 10, dtype=np.int16), WORDS))
"""Said within the long one. The translations overlap too, but not all the time: one pitch spoken
twice at the same moment may cancel itself out."""


async def test_two_speak_at_once_and_each_listener_hears_their_language(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Both speakers, or the one who does not speak it; who wishes for none gets no channel."""
    async with (
        stack.room("two-at-once") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", speak="es", listen="es") as bruno,
        room.person("clara", listen="de", microphone=False) as clara,
        room.person("dora", listen="original", microphone=False) as dora,
        room.person("erik", microphone=False) as erik,
    ):
        await room.dispatch({"languages": ["en", "es", "de"]})
        await sessions.running(2)
        alices, brunos = await sessions.of("en"), await sessions.of("es")
        # which language, and who is heard in it
        listeners = {
            alice: ("translation_en", {EN, brunos.marker_hz}),
            bruno: ("translation_es", {ES, alices.marker_hz}),
            clara: ("translation_de", {DE, alices.marker_hz, brunos.marker_hz}),
        }
        for person, (track, _) in listeners.items():
            await until_subscribed(person, track)

        since = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(SHORT))
            group.create_task(bruno.say(LONG))
        async with asyncio.TaskGroup() as group:
            for person, (track, tones) in listeners.items():
                for hz in tones:
                    group.create_task(until_heard(person, track, hz))
        markers = {EN, ES, DE, SPEECH_HZ, alices.marker_hz, brunos.marker_hz}
        for person, (track, tones) in listeners.items():
            await until_silent(person, [track])

            assert heard(person, TRACKS, markers, since) == {
                other: tones if other == track else frozenset() for other in TRACKS
            }
            assert channels_of(person) == {track}

        assert channels_of(dora) == channels_of(erik) == frozenset()


async def test_no_listener_hears_themselves_interpreted(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """One who speaks English and listens to Spanish has a track without their own voice."""
    mine, shared = "translation_es/dora", "translation_es"
    async with (
        stack.room("own-voice") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", listen="es", microphone=False) as bruno,
    ):
        await room.dispatch({"languages": ["es"]})
        alices = await sessions.of("en")
        async with room.person("dora", speak="en", listen="es") as dora:
            await until_subscribed(dora, mine)
            await until_subscribed(bruno, shared)
            (doras,) = [it for it in await sessions.running(2) if it.id != alices.id]
            since = time.monotonic()
            await dora.say(WORDS)
            await until_heard(bruno, shared, doras.marker_hz)
            await until_silent(bruno, [shared])
            await alice.say(WORDS)
            await until_heard(dora, mine, alices.marker_hz)
            await until_silent(dora, [mine])

            markers = {ES, SPEECH_HZ, alices.marker_hz, doras.marker_hz}
            assert heard(bruno, [shared], markers, since)[shared] == markers - {SPEECH_HZ}
            assert heard(dora, [mine, shared], markers, since) == {
                mine: {ES, alices.marker_hz},
                shared: frozenset(),
            }


async def test_each_speaker_may_have_a_track(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A listener receives one for each other person, and may choose a language for one of them.

    A caller by telephone has one with all of them, and their lowered voices.
    """
    tracks = {"alice": "translation_de@alice", "bruno": "translation_de@bruno"}
    of_phone = "translation_de/erik"
    async with (
        stack.room("per-speaker") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", speak="es", listen="de") as bruno,
        room.person("clara", listen="de", microphone=False) as clara,
        room.person("erik", kind="sip", listen="de", microphone=False) as caller,
    ):
        await room.dispatch({"languages": ["en", "de"], "channels": "per_speaker"})
        await sessions.running(2)
        markers = {"alice": await sessions.of("en"), "bruno": await sessions.of("es")}
        await until_subscribed(clara, *tracks.values())
        await until_subscribed(caller, of_phone)
        since = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(SHORT))
            group.create_task(bruno.say(LONG))
        for who, track in tracks.items():
            await until_heard(clara, track, markers[who].marker_hz)
            await until_heard(caller, of_phone, markers[who].marker_hz)
        await until_silent(clara, tracks.values())
        await until_silent(caller, [of_phone])

        tones = {DE, SPEECH_HZ, *(it.marker_hz for it in markers.values())}
        assert heard(clara, tracks.values(), tones, since) == {
            track: {DE, markers[who].marker_hz} for who, track in tracks.items()
        }
        assert heard(caller, [of_phone], tones, since)[of_phone] == tones
        assert channels_of(caller) == {of_phone}
        assert channels_of(bruno) == {tracks["alice"]}
        assert channels_of(alice) == {"translation_en@bruno"}
        await ask(clara, "palabra.listen", {"speaker": "bruno", "language": "en"})
        await until_subscribed(clara, "translation_en@bruno")


async def test_a_caller_hears_all_on_one_track(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """The interpretation over the voice of who speaks another language, and no microphone else.

    With the original the microphones come back.
    """
    mine, microphone = "translation_es/erik", "microphone_alice"
    async with (
        stack.room("phone") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("erik", kind="sip", speak="es", hears=lambda _: True) as caller,
    ):
        await room.dispatch({"languages": ["en", "es"]})
        await caller.wait_for_interpreter(20)
        await until_subscribed(caller, microphone)
        await caller.set_attributes({"palabra.listen": "es"})
        await until_subscribed(caller, mine)
        await sessions.running(2)
        since = time.monotonic()
        for _ in range(2):
            # the first time, the microphone may still be on its way out
            since = time.monotonic()
            await alice.say(WORDS)
            await until_heard(caller, mine, ES)
            await until_silent(caller, [mine])
        alices = await sessions.of("en")
        markers = {EN, ES, SPEECH_HZ, alices.marker_hz}
        assert heard(caller, [mine, microphone], markers, since) == {
            mine: {ES, SPEECH_HZ, alices.marker_hz},
            microphone: frozenset(),
        }

        await caller.set_attributes({"palabra.listen": "original"})
        # not heard from its beginning
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(tone(SPEECH_HZ, 3.0)))
            await until_heard(caller, microphone, SPEECH_HZ)


def channels_of(person: SimulatedPerson) -> frozenset[str]:
    """The channels that a person receives."""
    return frozenset(track for track in person.tracks if track.startswith("translation_"))
