"""An open loudspeaker: a channel that a microphone picks up is not interpreted for ever."""

from __future__ import annotations

import asyncio
import os
import time
import wave
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from livekit import rtc

from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedMicrophone, SimulatedPerson
from palabra_agent.local.services import palabra_environment, run_emulator
from tests.babble import babble
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import WORDS, until_subscribed
from .stack import Room, Stack, ask

pytestmark = pytest.mark.livekit

CHANNEL: Final = "translation_es"
SPOKEN_SECONDS: Final = 2.0
"""The length of everything that this Palabra says."""
QUIET_SECONDS: Final = 2.0
"""Longer than it takes from a word to its interpretation."""
MOST_SPOKEN: Final = 5
"""What Alice said, and what came back through each, twice at most, until it was found."""


async def test_a_loop_through_open_loudspeakers_ends(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its beginning is interpreted; those who have the loudspeakers are told, and no other.

    It takes two: no one hears themselves interpreted, so each brings back what the other did.
    """
    speak_with_babble(tmp_path, monkeypatch)
    async with (
        palabra(stack) as url,
        stack.worker("leakage", env=palabra_environment(url)),
        stack.room("leakage") as room,
        room.person("alice", speak="en", listen="original") as alice,
        room.person("clara", listen="es", microphone=False) as clara,
        loudspeaker_of(room, "bruno") as (bruno, brunos),
        loudspeaker_of(room, "dora") as (dora, doras),
    ):
        sessions = await Sessions.from_now_on(url)
        await room.dispatch({"languages": ["es"]}, agent_name="leakage")
        await until_subscribed(clara, CHANNEL)
        async with asyncio.TaskGroup() as group:
            playing = [
                group.create_task(play_back(bruno, brunos), name="loudspeaker"),
                group.create_task(play_back(dora, doras), name="loudspeaker"),
            ]
            await until_subscribed(bruno, f"{CHANNEL}/bruno")
            await until_subscribed(dora, f"{CHANNEL}/dora")
            await alice.say(WORDS)
            await until_explained(alice, "bruno")
            await until_explained(alice, "dora")
            await until_quiet(clara)
            for it in playing:
                it.cancel()

        assert 1 <= len(await sessions.entries("speaking")) <= MOST_SPOKEN
        for person in (bruno, dora):
            [advice] = [it.text for it in person.chat if not it.kind]
            assert "headset" in advice
        for person in (alice, clara):
            assert [it.text for it in person.chat if not it.kind] == []


@asynccontextmanager
async def loudspeaker_of(
    room: Room, identity: str
) -> AsyncGenerator[tuple[SimulatedPerson, SimulatedMicrophone]]:
    """Have a person there whose loudspeaker stands beside their microphone."""
    async with room.person(identity, speak="en", listen="es", microphone=False) as person:
        yield person, await person.publish("microphone")


def speak_with_babble(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a program in the place of espeak-ng that sounds like speech, on any machine."""
    with wave.open(str(folder / "speech.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(babble(1, SPOKEN_SECONDS).astype("<i2").tobytes())
    program = folder / "espeak-ng"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\nexec cat {folder}/speech.wav\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


@asynccontextmanager
async def palabra(stack: Stack) -> AsyncGenerator[str]:
    """Run an emulator whose voice sounds like speech; yields its address."""
    logs = stack.logs / "leakage"
    logs.mkdir()
    options = ("--voice", "espeak", "--latency-ms", "300")
    async with run_emulator(stack.livekit, logs, *options) as process:
        await process.until_ready()
        yield process.url


async def play_back(person: SimulatedPerson, microphone: SimulatedMicrophone) -> None:
    """Play a person's own mix into their microphone, softer, until cancelled."""
    mix = f"{CHANNEL}/{person.identity}"
    await until_subscribed(person, mix)
    agent = person.room.remote_participants[AGENT_IDENTITY]
    [track] = [it.track for it in agent.track_publications.values() if it.name == mix]
    assert isinstance(track, rtc.RemoteAudioTrack)
    async with RemoteAudio(track).open_frames() as frames:
        async for frame in frames:
            await microphone.output.write(frame.samples // 2)


async def until_explained(person: SimulatedPerson, speaker: str) -> None:
    """Wait until a speaker is said not to be heard, and why."""

    async def is_explained() -> bool:
        told = await ask(person, "palabra.explain", {"speaker": speaker})
        [track] = told["tracks"]
        reason = str(track.get("reason", ""))
        return reason.startswith(f"it carries what {CHANNEL}") and not track["heard"]

    await eventually(is_explained, f"{speaker} is held back")


async def until_quiet(person: SimulatedPerson) -> None:
    """Wait until the channel has said nothing for longer than an interpretation takes."""

    async def is_quiet() -> bool:
        since = time.monotonic() - QUIET_SECONDS
        return person.recording(CHANNEL).first_sound(since) is None

    await eventually(is_quiet, "the loop ends", 20)
