"""Short losses are not departures: the same Palabra session goes on, as soon as LiveKit does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import rtc

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.services import EmulatorProcess
from tests.clock import eventually

from .emulator_client import Sessions
from .interruptions import (
    CONFIG,
    EndlessSpeech,
    KillableLiveKit,
    MeasuredMeeting,
    interpret_here,
    measured_meeting,
    run_killable_livekit,
    talking,
)
from .stack import Stack, Worker

pytestmark = pytest.mark.livekit

_BACK_SECONDS = 10.0
_DEAD_SECONDS = 2.0
_QUICKLY_BACK_SECONDS = 1.8
"""The worker is registered again before a person is back in the room."""
_SIGNAL = rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT
_FULL = rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT


@pytest_asyncio.fixture
async def killable(livekit_server_binary: str, logs: Path) -> AsyncGenerator[KillableLiveKit]:
    """A server for the meeting alone, which may be killed."""
    assert livekit_server_binary
    async with run_killable_livekit(logs) as server:
        yield server


async def reconnect(scenario: rtc.SimulateScenarioKind.ValueType, *rooms: rtc.Room) -> None:
    """Let connections be lost at the same moment; returns when they are back."""
    async with asyncio.timeout(_BACK_SECONDS), asyncio.TaskGroup() as group:
        for room in rooms:
            group.create_task(_reconnect(room, scenario))


async def _reconnect(room: rtc.Room, scenario: rtc.SimulateScenarioKind.ValueType) -> None:
    back = asyncio.Event()
    room.once("reconnected", back.set)
    await room.simulate_scenario(scenario)
    await back.wait()


async def nothing_was_lost(seen: MeasuredMeeting, talk: EndlessSpeech) -> None:
    """The one session goes on: what is said now is understood, and there was never another."""
    await talk.stop()
    await seen.until_bruno_reads()

    (session,) = await seen.sessions.all()
    assert (session.state, session.end_reason) == ("running", None)
    assert [it.data["method"] for it in await seen.sessions.entries("rest")] == ["POST"]


@pytest.mark.parametrize("scenario", [_SIGNAL, _FULL], ids=["signal", "full"])
async def test_our_own_reconnect(
    stack: Stack,
    sessions: Sessions,
    scenario: rtc.SimulateScenarioKind.ValueType,
) -> None:
    """When our connection is lost, people notice no more than with any other participant."""
    async with (
        stack.room(f"lingering-agent-{scenario}") as room,
        measured_meeting(room, sessions) as seen,
        interpret_here(room, CONFIG) as agent,
        talking(seen, stack.livekit, translated_seconds=6) as (talk, palabra_hears),
    ):
        happen = partial(reconnect, scenario, agent, seen.clara.room)
        silences = await seen.silences_of(palabra_hears, happen)

        assert silences.are_livekits, str(silences)
        await nothing_was_lost(seen, talk)


@pytest.mark.parametrize("scenario", [_SIGNAL, _FULL], ids=["signal", "full"])
async def test_a_speaker_s_reconnect(
    stack: Stack,
    worker: Worker,
    sessions: Sessions,
    scenario: rtc.SimulateScenarioKind.ValueType,
) -> None:
    """When a speaker's connection is lost, Palabra hears them again as soon as people do."""
    async with (
        stack.room(f"lingering-speaker-{scenario}") as room,
        measured_meeting(room, sessions) as seen,
    ):
        await room.dispatch(CONFIG)
        async with talking(seen, stack.livekit, translated_seconds=6) as (talk, palabra_hears):
            happen = partial(reconnect, scenario, seen.alice.room)
            silences = await seen.silences_of(palabra_hears, happen)

            assert silences.are_livekits, str(silences)
            await nothing_was_lost(seen, talk)


async def test_a_republished_microphone(stack: Stack, worker: Worker, sessions: Sessions) -> None:
    """A speaker who publishes another microphone is heard by Palabra as soon as by people."""
    async with stack.room("lingering-microphone") as room, measured_meeting(room, sessions) as seen:
        await room.dispatch(CONFIG)
        async with talking(seen, stack.livekit, translated_seconds=6) as (talk, palabra_hears):

            async def happen() -> None:
                await talk.stop()
                await seen.alice.unpublish_microphone()
                await seen.alice.publish_microphone()
                talk.begin()

            silences = await seen.silences_of(palabra_hears, happen)

            assert silences.are_livekits, str(silences)
            await nothing_was_lost(seen, talk)


async def test_a_worker_of_every_room_keeps_the_one_that_starts_again(
    killable: KillableLiveKit,
    emulator: EmulatorProcess,
    livekit_server: RunningLiveKit,
    logs: Path,
    sessions: Sessions,
) -> None:
    """The room is made anew, which calls an interpreter; the one that comes back stays."""
    stack = Stack(killable.livekit, emulator, logs, "")
    async with (
        stack.worker("lingering-nameless", agent_name=""),
        stack.room("lingering-every-room") as room,
        measured_meeting(room, sessions) as seen,
    ):
        await seen.alice.wait_for_interpreter(30)
        async with talking(seen, livekit_server, translated_seconds=13) as (talk, _):
            await killable.restart(_QUICKLY_BACK_SECONDS)
            await nothing_was_lost(seen, talk)


async def test_the_meeting_s_server_starts_again(
    killable: KillableLiveKit,
    emulator: EmulatorProcess,
    livekit_server: RunningLiveKit,
    logs: Path,
    sessions: Sessions,
) -> None:
    """A killed server that is back within 3 s: people rejoin by themselves, so do we."""
    stack = Stack(killable.livekit, emulator, logs, "survivor")
    async with (
        stack.worker(stack.agent_name) as worker,
        stack.room("lingering-server") as room,
        measured_meeting(room, sessions) as seen,
    ):
        await room.dispatch(CONFIG)
        async with talking(seen, livekit_server, translated_seconds=13) as (talk, palabra_hears):
            silences = await seen.silences_of(
                palabra_hears, lambda: killable.restart(_DEAD_SECONDS)
            )

            assert silences.are_livekits, str(silences)
            await nothing_was_lost(seen, talk)
            shown = seen.bruno.attributes_of()
            assert shown["palabra.state"] == "live"
            assert shown["palabra.live"] == "en,es"

        async def is_registered_again() -> bool:
            return [it["message"] for it in worker.log_entries].count("registered worker") == 2

        await eventually(is_registered_again, "a worker that takes rooms again")
