"""Stops of the interpreter's process and of LiveKit's server: words and delay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import pytest
from livekit import rtc

from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.processes import stand_still

from .emulator_client import Sessions
from .hearing import ES, SPEECH_HZ, tones_in, until_silent, until_subscribed
from .interruptions import interpret_here
from .stack import Room, Stack, Worker, ask

pytestmark = pytest.mark.livekit

STOPS: Final = 3
STOP_SECONDS: Final = 0.25
LATE_SECONDS: Final = 3.0
"""WebRTC's jitter buffers alone make a sentence later by a second after three stops, for a while;
on a machine that is busy besides, by more."""

CONFIG: Final = {"languages": ["en", "es"], "limits": {"linger_seconds": 10}}

_TRACK: Final = "translation_es"
_SENTENCE: Final = tone(SPEECH_HZ, 0.6)
_INTO_SENTENCE: Final = 0.2


@dataclass(slots=True)
class Talk:
    """Alice speaks sentence after sentence, and Bruno hears and reads them in Spanish."""

    room: Room
    alice: SimulatedPerson
    bruno: SimulatedPerson
    sentences: int = 0

    async def say(self, meanwhile: Callable[[], Awaitable[object]] | None = None) -> float:
        """Say a sentence, in the middle of which something happens; wait until it was heard.

        Returns:
            The seconds from its beginning to that of its translation.
        """
        async with asyncio.TaskGroup() as group:
            speaking = group.create_task(self.alice.say(_SENTENCE))
            if meanwhile is not None:
                await asyncio.sleep(_INTO_SENTENCE)
                await meanwhile()

        said = speaking.result()
        heard = await self.bruno.wait_for_tone(_TRACK, ES, 20, since=said.ended)
        self.sentences += 1
        await until_silent(self.bruno, [_TRACK])
        # half a second of it
        assert tones_in(self.bruno.recording(_TRACK), [ES], said.started) == {ES}
        return heard - said.started

    async def until_read(self) -> None:
        """Wait until Bruno has read each sentence that was said."""

        def read() -> int:
            captions = self.bruno.latest_captions.values()
            return sum(it.is_final and it.language == "es" for it in captions)

        what = f"{self.sentences} captions"
        await self.bruno.wait_for(lambda: read() >= self.sentences, 20, what)
        assert read() == self.sentences


@asynccontextmanager
async def talk(stack: Stack, name: str) -> AsyncGenerator[Talk]:
    """Have the two in a room, before the interpreter is."""
    async with (
        stack.room(name) as room,
        room.person("bruno", listen="es", microphone=False) as bruno,
        room.person("alice", speak="en", listen="en") as alice,
    ):
        yield Talk(room, alice, bruno)


async def test_no_sentence_is_lost_where_the_process_is_stopped(
    stack: Stack, worker: Worker, sessions: Sessions
) -> None:
    """In the middle of each; and the operator is told."""
    async with talk(stack, "stopped-process") as meeting:
        await meeting.room.dispatch(CONFIG)
        await sessions.running(1)
        process = worker.job_process(meeting.room.name)
        before = await meeting.say()
        for _ in range(STOPS):
            await meeting.say(partial(stand_still, process.pid, STOP_SECONDS))
        after = await meeting.say()
        await meeting.until_read()

        told = (await ask(meeting.bruno, "palabra.status", ""))["stops"]
        lines = [it for it in worker.log_entries if it["message"] == "the process was stopped"]
        assert after < before + LATE_SECONDS
        assert told["count"] >= STOPS
        assert told["longest"] >= STOP_SECONDS - 0.1
        assert sum(it["room"] == meeting.room.name for it in lines) == told["count"]
        assert await sessions.created() == 1


async def test_no_sentence_is_lost_where_the_server_is_stopped(
    stack: Stack, sessions: Sessions
) -> None:
    """In the middle of each; nor those after the interpreter had to connect anew in a stop."""
    pid = stack.livekit.child.process.pid
    async with (
        talk(stack, "stopped-server") as meeting,
        interpret_here(meeting.room, CONFIG) as connection,
    ):
        await sessions.running(1)
        for _ in range(STOPS):
            await meeting.say(partial(stand_still, pid, STOP_SECONDS))
        await connects_anew(connection, partial(stand_still, pid, STOP_SECONDS))
        await until_subscribed(meeting.bruno, _TRACK)
        await meeting.say()
        await meeting.until_read()

        assert await sessions.created() == 1


async def connects_anew(connection: rtc.Room, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Have a participant build its connection anew while something happens."""
    is_back = asyncio.Event()
    connection.on("reconnected", is_back.set)
    await connection.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
    await meanwhile()
    async with asyncio.timeout(20):
        await is_back.wait()
