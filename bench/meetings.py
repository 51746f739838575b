"""Rooms with an interpreter in them, and what the emulator knows and writes of their sessions."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp
from livekit import api, rtc

from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.services import AGENT_NAME, LocalServices

CREDENTIALS = {"ClientId": "local", "ClientSecret": "local"}
"""The keys that any emulator takes."""

ROOM_CONFIG: Mapping[str, Any] = {
    "languages": ["en", "es"],
    "always_on": ["en", "es"],
    "limits": {"linger_seconds": 0.5},
}
"""Speakers of English are interpreted into one language: two directions each."""


async def sessions(stage: LocalServices) -> list[dict[str, Any]]:
    """Everything that the emulator knows of its sessions."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{stage.emulator_url}/emulator/sessions") as response,
    ):
        return cast("list[dict[str, Any]]", (await response.json())["sessions"])


async def running_sessions(stage: LocalServices) -> list[dict[str, Any]]:
    """The sessions whose task runs."""
    return [session for session in await sessions(stage) if session["state"] == "running"]


async def until_running(stage: LocalServices, count: int) -> list[dict[str, Any]]:
    """Wait until so many sessions run, and no more."""
    async with asyncio.timeout(30):
        while len(found := await running_sessions(stage)) != count:  # noqa: ASYNC110 - it only answers
            await asyncio.sleep(0.02)

    return found


async def dispatch(
    stage: LocalServices,
    room: str,
    config: Mapping[str, Any] = ROOM_CONFIG,
    agent_name: str = AGENT_NAME,
) -> str:
    """Ask a worker into a room; return the dispatch's id."""
    async with livekit_api(stage) as livekit:
        request = api.CreateAgentDispatchRequest(
            agent_name=agent_name, room=room, metadata=json.dumps(config)
        )
        return (await livekit.agent_dispatch.create_dispatch(request)).id


def livekit_api(stage: LocalServices) -> api.LiveKitAPI:
    """The server API of the stage's LiveKit."""
    return api.LiveKitAPI(stage.livekit.url, stage.livekit.api_key, stage.livekit.api_secret)


def join_speaker(
    stage: LocalServices, room: str, number: int
) -> AbstractAsyncContextManager[SimulatedPerson]:
    """Have a person in a room who speaks English and asks for it; no track is sent to them."""
    attributes = {"palabra.speak": "en", "palabra.listen": "en"}
    return join(stage.livekit, room, f"speaker-{number}", attributes=attributes, options=deaf())


@asynccontextmanager
async def meeting(
    stage: LocalServices,
    room: str,
    speakers: int,
    config: Mapping[str, Any] = ROOM_CONFIG,
    agent_name: str = AGENT_NAME,
) -> AsyncGenerator[Sequence[SimulatedPerson]]:
    """A room with speakers of English, one who listens in Spanish, and an interpreter at work.

    What is wanted counts, and no track is sent to any of them: `open_stopwatch` hears.

    Args:
        stage: The services.
        room: Its name.
        speakers: Their number.
        config: The room's.
        agent_name: Of the worker that is asked.
    """
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(join_speaker(stage, room, number))
            for number in range(speakers)
        ]
        attributes = {"palabra.listen": "es"}
        listener = join(
            stage.livekit,
            room,
            "listener",
            attributes=attributes,
            microphone=False,
            options=deaf(),
        )
        await stack.enter_async_context(listener)
        await dispatch(stage, room, config, agent_name)
        await until_running(stage, speakers)
        yield people

    await until_running(stage, 0)


_REST = "session-storage"
_WAIT_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that happened at an emulator up to a moment; times are monotonic."""

    entries: tuple[Mapping[str, Any], ...]

    def of(self, session: str, event: str) -> list[Mapping[str, Any]]:
        """All entries of a kind about a session."""
        return [it for it in self.entries if it["session"] == session and it["event"] == event]

    @staticmethod
    def time_of(entry: Mapping[str, Any]) -> float:
        """The time of an entry, on the monotonic clock."""
        return float(entry["time"]) + _to_monotonic()

    def when(self, session: str, event: str, **data: str) -> float:
        """The time at which an event first happened to a session.

        Raises:
            LookupError: It has not.
        """
        for entry in self.of(session, event):
            if data.items() <= entry["data"].items():
                return self.time_of(entry)

        raise LookupError(f"{event} is not in the emulator's journal")


async def read_journal(stage: LocalServices) -> Journal:
    """Read all of it."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{stage.emulator_url}/emulator/journal") as response,
    ):
        lines = (await response.text()).splitlines()

    return Journal(tuple(json.loads(line) for line in lines))


async def arm(stage: LocalServices, **order: object) -> None:
    """Let a fault strike."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{stage.emulator_url}/emulator/faults", json=order) as response,
    ):
        response.raise_for_status()


async def rest_seconds(stage: LocalServices) -> float:
    """Measure how long Palabra takes to create a session, its room and its bot included."""
    url = f"{stage.emulator_url}/{_REST}/session"
    async with aiohttp.ClientSession(headers=CREDENTIALS) as http:
        began = time.monotonic()
        async with http.post(url, json={"data": {}}) as response:
            session = (await response.json())["data"]
        took = time.monotonic() - began
        await http.delete(f"{stage.emulator_url}/{_REST}/sessions/{session['id']}")

    return took


async def until_session(
    stage: LocalServices, fits: Callable[[dict[str, Any]], bool], seconds: float = _WAIT_SECONDS
) -> dict[str, Any]:
    """Wait until a session is as it should be."""
    async with asyncio.timeout(seconds):
        while True:
            for session in await sessions(stage):
                if fits(session):
                    return session
            await asyncio.sleep(0.03)


async def heard_by(stage: LocalServices, session: str) -> bytes:
    """The newest sound that a session's task heard, as a WAV file."""
    url = f"{stage.emulator_url}/emulator/sessions/{session}/heard.wav"
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await response.read()


def deaf() -> rtc.RoomOptions:
    """Of people to whom no track is sent.

    Twenty who hear each other would be four hundred decoders in this process.
    """
    return rtc.RoomOptions(auto_subscribe=False)


def _to_monotonic() -> float:
    return time.monotonic() - time.time()
