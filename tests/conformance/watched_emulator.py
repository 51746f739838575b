"""The emulator as the conformance tests run and watch it: what it was told, how sessions ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from palabra_emulator.options import EmulatorOptions
from palabra_emulator.server import RunningEmulator, run_emulator

_PATIENCE: Final = aiohttp.ClientTimeout(total=5)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that a client gave, and what became of it."""

    name: str
    outcome: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchedEmulator:
    """A running emulator."""

    url: str
    emulator: RunningEmulator

    async def sessions(self) -> list[dict[str, Any]]:
        """Every session, oldest first, as `/emulator/sessions` shows it."""
        async with (
            aiohttp.ClientSession(self.url, timeout=_PATIENCE) as http,
            http.get("/emulator/sessions") as response,
        ):
            found: list[dict[str, Any]] = (await response.json())["sessions"]
            return found

    async def session(self, source_language: str | None = None) -> dict[str, Any]:
        """The newest session, or the newest one from a language."""
        found = [
            it
            for it in await self.sessions()
            if source_language is None or it["source_language"] == source_language
        ]
        assert found, f"there is no session from {source_language}"
        return found[-1]

    def events(self, session: str | None, event: str) -> list[dict[str, Any]]:
        """What the journal says of a session (None: of none), of one kind."""
        return [
            entry.data
            for entry in self.emulator.journal.entries()
            if entry.session == session and entry.event == event
        ]

    def commands(self, session: str) -> list[Command]:
        """What a session was told, oldest first."""
        return [
            Command(it["message_type"], it["outcome"], it["data"])
            for it in self.events(session, "command")
        ]


@asynccontextmanager
async def run_watched_emulator(options: EmulatorOptions) -> AsyncGenerator[WatchedEmulator]:
    """Run an emulator while the block runs."""
    async with run_emulator(options) as running:
        yield WatchedEmulator(running.url, running)
