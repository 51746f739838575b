"""What the emulator wrote down, and the faults that it is asked for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.meetings import sessions
from bench.own_palabra import CREDENTIALS
from palabra_agent.local.services import LocalServices

_REST = "session-storage"
_WAIT_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything that happened at an emulator up to a moment; times are monotonic."""

    entries: tuple[Mapping[str, Any], ...]

    def when(self, session: str, event: str, **data: str) -> float:
        """When something first happened to a session.

        Raises:
            LookupError: It has not.
        """
        for entry in self.entries:
            is_meant = entry["session"] == session and entry["event"] == event
            if is_meant and data.items() <= entry["data"].items():
                return float(entry["time"]) + _to_monotonic()

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
    """How long Palabra takes to create a session, its room and its bot included."""
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


def _to_monotonic() -> float:
    return time.monotonic() - time.time()
