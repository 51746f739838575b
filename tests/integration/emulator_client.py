"""The emulator as a witness: which sessions there were, what they were told, how they ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from palabra_agent.local.processes import Child

VOICES: Final = ("default_low", "default_high", "nova", "orion", "lyra")
"""Ids of the voices that this Palabra has."""

CLONE_AFTER_SECONDS: Final = 0.5
"""How much it must have heard of someone to imitate them: less than is said here at once."""

_POLL_SECONDS: Final = 0.1
_OVER: Final = frozenset({"ended", "deleted"})


@dataclass(frozen=True, slots=True)
class EmulatedSessionState:
    """A session as `/emulator/sessions` shows it."""

    id: str
    state: str
    room: str
    marker_hz: int
    source_language: str | None
    targets: frozenset[str]
    end_reason: str | None

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state in _OVER


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of the journal."""

    session: str | None
    event: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EmulatorClient:
    """A running emulator."""

    url: str
    child: Child

    async def sessions(self) -> list[EmulatedSessionState]:
        """Every session of the last ten minutes, oldest first."""
        found: list[dict[str, Any]] = json.loads(await self._read("/emulator/sessions"))["sessions"]
        return [
            EmulatedSessionState(
                id=it["id"],
                state=it["state"],
                room=it["room"],
                marker_hz=it["marker_hz"],
                source_language=it["source_language"],
                targets=frozenset(it["targets"]),
                end_reason=it["end_reason"],
            )
            for it in found
        ]

    async def journal(self) -> list[JournalLine]:
        """Everything that happened, oldest first."""
        lines = (await self._read("/emulator/journal")).splitlines()
        entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        return [JournalLine(it["session"], it["event"], it["data"]) for it in entries]

    async def _read(self, path: str) -> str:
        timeout = aiohttp.ClientTimeout(total=5)
        async with (
            aiohttp.ClientSession(self.url, timeout=timeout) as http,
            http.get(path) as response,
        ):
            return await response.text()


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that one test caused."""

    emulator: EmulatorClient
    earlier: frozenset[str]
    """Ids of those that were there before."""

    async def all(self) -> list[EmulatedSessionState]:
        """Those of this test, oldest first."""
        return [it for it in await self.emulator.sessions() if it.id not in self.earlier]

    async def until(
        self, holds: Callable[[list[EmulatedSessionState]], bool], what: str, seconds: float = 20.0
    ) -> list[EmulatedSessionState]:
        """Wait until something is true of them.

        Raises:
            TimeoutError: It was not, in time; says what was waited for, and what there is.
        """
        found: list[EmulatedSessionState] = []
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if holds(found := await self.all()):
                        return found
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise TimeoutError(f"not within {seconds:g} s: {what}; there are {found}") from None

    async def running(self, count: int = 1, seconds: float = 20.0) -> list[EmulatedSessionState]:
        """Wait until exactly so many of them run; those are returned."""

        def ready(found: list[EmulatedSessionState]) -> bool:
            return sum(it.state == "running" for it in found) == count

        found = await self.until(ready, f"{count} running sessions", seconds)
        return [it for it in found if it.state == "running"]

    async def of(self, source_language: str) -> EmulatedSessionState:
        """Wait for the running session of the one who speaks a language."""

        def is_there(found: list[EmulatedSessionState]) -> bool:
            return any(_speaks(it, source_language) for it in found)

        found = await self.until(is_there, f"a running session from {source_language}")
        return next(it for it in found if _speaks(it, source_language))

    async def over(self, seconds: float = 20.0) -> list[EmulatedSessionState]:
        """Wait until each of them is ended, by us or by itself; returns how."""
        return await self.until(
            lambda found: all(it.is_over for it in found), "no session is left", seconds
        )

    async def deleted(self, seconds: float = 20.0) -> list[EmulatedSessionState]:
        """Wait until each of them is deleted, as we do with ours; returns how they ended."""
        return await self.until(
            lambda found: all(it.state == "deleted" for it in found), "all are deleted", seconds
        )

    async def created(self) -> int:
        """How many there were."""
        return len(await self.all())

    async def entries(self, event: str) -> list[JournalLine]:
        """What the journal says of them, of one kind."""
        mine = {it.id for it in await self.all()}
        entries = await self.emulator.journal()
        return [entry for entry in entries if entry.session in mine and entry.event == event]

    async def targets_asked_for(self) -> list[frozenset[str]]:
        """What each `set_task` wanted to be translated into, oldest first."""
        tasks = await self._tasks()
        return [frozenset(it["target_language"] for it in task) for _, task in tasks]

    async def voices(self, session_id: str, language: str) -> list[dict[str, Any]]:
        """The `speech_generation` that a session was told for a language, without repetitions."""
        told = [
            entry["speech_generation"]
            for session, task in await self._tasks()
            for entry in task
            if session == session_id and entry["target_language"] == language
        ]
        return [it for index, it in enumerate(told) if index == 0 or told[index - 1] != it]

    async def _tasks(self) -> list[tuple[str | None, list[dict[str, Any]]]]:
        """The sessions and `translations` of every `set_task`, oldest first."""
        return [
            (entry.session, entry.data["data"]["pipeline"]["translations"])
            for entry in await self.entries("command")
            if entry.data["message_type"] == "set_task"
        ]


def _speaks(session: EmulatedSessionState, source_language: str) -> bool:
    return session.state == "running" and session.source_language == source_language
