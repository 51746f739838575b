"""Rooms with an interpreter in them, for the benchmarks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import aiohttp
from livekit import api

from palabra_agent.local.people import Person, join
from palabra_agent.local.stage import AGENT_NAME, Stage

ROOM_CONFIG = {"languages": ["en", "es"], "limits": {"linger_seconds": 0.5}}
"""Speakers of English are interpreted into one language: two directions each."""


async def sessions(stage: Stage) -> list[dict[str, Any]]:
    """Everything that the emulator knows of its sessions."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{stage.emulator_url}/emulator/sessions") as response,
    ):
        return cast("list[dict[str, Any]]", (await response.json())["sessions"])


async def running_sessions(stage: Stage) -> list[dict[str, Any]]:
    """The sessions whose task runs."""
    return [session for session in await sessions(stage) if session["state"] == "running"]


async def until_running(stage: Stage, count: int) -> list[dict[str, Any]]:
    """Wait until so many sessions run, and no more."""
    async with asyncio.timeout(30):
        while len(found := await running_sessions(stage)) != count:  # noqa: ASYNC110 - it only answers
            await asyncio.sleep(0.02)

    return found


async def dispatch(stage: Stage, room: str) -> str:
    """Ask the worker into a room; return the dispatch's id."""
    async with livekit_api(stage) as livekit:
        request = api.CreateAgentDispatchRequest(
            agent_name=AGENT_NAME, room=room, metadata=json.dumps(ROOM_CONFIG)
        )
        return (await livekit.agent_dispatch.create_dispatch(request)).id


def livekit_api(stage: Stage) -> api.LiveKitAPI:
    """The server API of the stage's LiveKit."""
    return api.LiveKitAPI(stage.livekit.url, stage.livekit.api_key, stage.livekit.api_secret)


@asynccontextmanager
async def meeting(stage: Stage, room: str, speakers: int) -> AsyncGenerator[Sequence[Person]]:
    """A room with speakers of English and an interpreter at work, for the length of a block."""
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(
                join(
                    stage.livekit,
                    room,
                    f"speaker-{number}",
                    attributes={"palabra.speak": "en", "palabra.listen": "en"},
                )
            )
            for number in range(speakers)
        ]
        await dispatch(stage, room)
        await until_running(stage, speakers)
        yield people

    await until_running(stage, 0)
