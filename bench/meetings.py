"""Rooms with an interpreter in them, for the benchmarks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, cast

import aiohttp
from livekit import api

from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.services import AGENT_NAME, LocalServices

ROOM_CONFIG: Mapping[str, Any] = {"languages": ["en", "es"], "limits": {"linger_seconds": 0.5}}
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
    """Have somebody in a room who speaks English and listens to it."""
    attributes = {"palabra.speak": "en", "palabra.listen": "en"}
    return join(stage.livekit, room, f"speaker-{number}", attributes=attributes)


@asynccontextmanager
async def meeting(
    stage: LocalServices,
    room: str,
    speakers: int,
    config: Mapping[str, Any] = ROOM_CONFIG,
    agent_name: str = AGENT_NAME,
) -> AsyncGenerator[Sequence[SimulatedPerson]]:
    """A room with speakers of English and an interpreter at work, for the length of a block."""
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(join_speaker(stage, room, number))
            for number in range(speakers)
        ]
        await dispatch(stage, room, config, agent_name)
        await until_running(stage, speakers)
        yield people

    await until_running(stage, 0)
