"""Which of a person's tracks is interpreted: any sound that they may speak into, the live one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from livekit import rtc

from palabra_agent.local.people import SimulatedMicrophone, SimulatedPerson
from tests.clock import eventually

from .emulator_client import Sessions
from .hearing import ES, WORDS, until_heard, until_silent, until_subscribed
from .stack import Room, Stack, Worker, ask

pytestmark = pytest.mark.livekit

ES_TRACK = "translation_es"
CONFIG: Mapping[str, object] = {"languages": ["en", "es"]}


def listener(room: Room) -> AbstractAsyncContextManager[SimulatedPerson]:
    """Bruno listens in Spanish."""
    return room.person("bruno", listen="es", microphone=False)


def speaker(room: Room) -> AbstractAsyncContextManager[SimulatedPerson]:
    """Alice speaks English, and has no microphone yet."""
    return room.person("alice", speak="en", listen="en", microphone=False)


async def is_interpreted(microphone: SimulatedMicrophone, listener: SimulatedPerson) -> None:
    """A person speaks into a microphone, and is heard in Spanish; returns in the silence after."""
    async with asyncio.TaskGroup() as group:
        group.create_task(microphone.say(WORDS))
        group.create_task(until_heard(listener, ES_TRACK, ES))
    await until_silent(listener, [ES_TRACK])


async def explained(asking: SimulatedPerson) -> dict[str, dict[str, Any]]:
    """What the interpreter says of Alice's tracks, by their ids."""
    answer = await ask(asking, "palabra.explain", {"speaker": "alice"})
    return {it.pop("track_sid"): it for it in answer["tracks"]}


async def test_a_track_without_a_source_is_interpreted(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Server-side SDKs name none unless they are told to; what a screen plays is left alone."""
    screen = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
    async with (
        stack.room("no-source") as room,
        listener(room) as bruno,
        speaker(room) as alice,
    ):
        await room.dispatch(CONFIG)
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        shared = await alice.publish("screen", screen)
        plain = await alice.publish("plain", rtc.TrackPublishOptions())
        await sessions.running(1)
        await is_interpreted(plain, bruno)

        assert await explained(bruno) == {
            plain.sid: {"source": "unknown", "heard": True},
            shared.sid: {
                "source": "screen_share_audio",
                "heard": False,
                "reason": "its source is screen_share_audio, not microphone or unknown",
            },
        }
        assert await sessions.created() == 1


async def test_a_room_says_which_sources_count(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """A room that wants the films that are shown interpreted, and no tracks without a source."""
    screen = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO)
    async with (
        stack.room("sources") as room,
        listener(room) as bruno,
        speaker(room) as alice,
    ):
        await room.dispatch({**CONFIG, "microphone_sources": ["screen_share_audio"]})
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        plain = await alice.publish("plain", rtc.TrackPublishOptions())
        shared = await alice.publish("screen", screen)
        await sessions.running(1)
        await is_interpreted(shared, bruno)

        assert (await explained(bruno))[plain.sid] == {
            "source": "unknown",
            "heard": False,
            "reason": "its source is unknown, not screen_share_audio",
        }


async def test_the_live_one_of_two_microphones_is_heard(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """Muted or only silent, the one published first is not waited for; the session goes on."""
    async with (
        stack.room("two-microphones") as room,
        listener(room) as bruno,
        speaker(room) as alice,
    ):
        await room.dispatch(CONFIG)
        await bruno.wait_for_interpreter(20)
        await until_subscribed(bruno, ES_TRACK)
        headset = await alice.publish("headset")
        laptop = await alice.publish("laptop")
        await sessions.running(1)
        await is_interpreted(laptop, bruno)
        assert await explained(bruno) == {
            headset.sid: {
                "source": "microphone",
                "heard": False,
                "reason": "another microphone of theirs is live",
            },
            laptop.sid: {"source": "microphone", "heard": True},
        }

        await is_interpreted(headset, bruno)
        headset.mute()

        async def is_left() -> bool:
            return (await explained(bruno))[headset.sid].get("reason") == "it is muted"

        await eventually(is_left, "the muted microphone is left alone")
        await is_interpreted(laptop, bruno)
        assert {it.track_id for it in bruno.captions if not it.is_translated} <= {
            headset.sid,
            laptop.sid,
        }
        assert await sessions.created() == 1
