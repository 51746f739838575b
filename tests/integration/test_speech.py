"""Who hears whom, in which language: proved by the tones that the emulator speaks with."""

from __future__ import annotations

import asyncio
import time

import pytest

from .emulated import Sessions
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
            group.create_task(alice.say(WORDS))
            group.create_task(bruno.say(WORDS))
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
