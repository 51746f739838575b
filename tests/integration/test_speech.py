"""Who hears whom, in which language: proved by the tones that the emulator speaks with."""

from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.audio.tones import tone

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
from .stack import Stack, Worker

pytestmark = pytest.mark.livekit

TRACKS = ("translation_en", "translation_es", "translation_de")

LONG = tone(SPEECH_HZ, 1.7)
SHORT = np.concatenate((np.zeros(SAMPLE_RATE * 6 // 10, dtype=np.int16), WORDS))
"""Said within the long one. The translations overlap too, but not all the time: one pitch spoken
twice at the same moment may cancel itself out."""


async def test_two_speak_at_once_and_three_languages_are_heard(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Each speaker is heard on the tracks of the languages that they do not speak, only there."""
    async with (
        stack.room("two-at-once") as room,
        room.person("alice", speak="en", listen="en") as alice,
        room.person("bruno", speak="es", listen="es") as bruno,
        room.person("clara", listen="de", microphone=False) as clara,
    ):
        await room.dispatch({"languages": ["en", "es", "de"]})
        await sessions.running(2)
        alices, brunos = await sessions.of("en"), await sessions.of("es")
        for person in (alice, bruno, clara):
            await until_subscribed(person, *TRACKS)

        since = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(alice.say(SHORT))
            group.create_task(bruno.say(LONG))
        async with asyncio.TaskGroup() as group:
            for person in (alice, bruno, clara):
                group.create_task(until_heard(person, "translation_en", brunos.marker_hz))
                group.create_task(until_heard(person, "translation_es", alices.marker_hz))
                group.create_task(until_heard(person, "translation_de", brunos.marker_hz))
                group.create_task(until_heard(person, "translation_de", alices.marker_hz))
        markers = {EN, ES, DE, SPEECH_HZ, alices.marker_hz, brunos.marker_hz}
        for person in (alice, bruno, clara):
            await until_silent(person, TRACKS)

            assert heard(person, TRACKS, markers, since) == {
                "translation_en": {EN, brunos.marker_hz},
                "translation_es": {ES, alices.marker_hz},
                "translation_de": {DE, alices.marker_hz, brunos.marker_hz},
            }
