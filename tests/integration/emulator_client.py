"""The emulator as a witness: which sessions a test caused, what they were told, how they ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.clock import eventually
from tests.palabra_emulator.watching import JournalLine, SessionState, journal_at, sessions_at

VOICES: Final = ("default_low", "default_high", "nova", "orion", "lyra")
"""Ids of the voices that this Palabra has."""

CLONE_AFTER_SECONDS: Final = 0.5
"""How much it must have heard of someone to imitate them: less than is said here at once."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that one test caused."""

    url: str
    """Of the emulator."""
    earlier: frozenset[str]
    """Ids of those that were there before."""

    @classmethod
    async def from_now_on(cls, url: str) -> Sessions:
        """Take those for this test's that are not there yet."""
        return cls(url, frozenset(it.id for it in await sessions_at(url)))

    async def all(self) -> list[SessionState]:
        """Those of this test, oldest first."""
        return [it for it in await sessions_at(self.url) if it.id not in self.earlier]

    async def until(
        self, holds: Callable[[list[SessionState]], bool], what: str, seconds: float = 20.0
    ) -> list[SessionState]:
        """Wait until something is true of them."""
        found: list[SessionState] = []

        async def is_true() -> bool:
            found[:] = await self.all()
            return holds(found)

        try:
            await eventually(is_true, what, seconds)
        except AssertionError as error:
            error.add_note(f"there are {found}")
            raise
        return found

    async def running(self, count: int = 1, seconds: float = 20.0) -> list[SessionState]:
        """Wait until exactly so many of them run; those are returned."""

        def ready(found: list[SessionState]) -> bool:
            return sum(it.state == "running" for it in found) == count

        found = await self.until(ready, f"{count} running sessions", seconds)
        return [it for it in found if it.state == "running"]

    async def of(self, source_language: str) -> SessionState:
        """Wait for the running session of the one who speaks a language."""

        def is_there(found: list[SessionState]) -> bool:
            return any(_speaks(it, source_language) for it in found)

        found = await self.until(is_there, f"a running session from {source_language}")
        return next(it for it in found if _speaks(it, source_language))

    async def over(self, seconds: float = 20.0) -> list[SessionState]:
        """Wait until each of them is ended, by us or by itself; returns how."""
        return await self.until(
            lambda found: all(it.is_over for it in found), "no session is left", seconds
        )

    async def deleted(self, seconds: float = 20.0) -> list[SessionState]:
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
        entries = await journal_at(self.url)
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

    async def tasks_of(self, session_id: str) -> list[dict[str, Any]]:
        """The `data` of every `set_task` of a session, oldest first."""
        return [
            entry.data["data"]
            for entry in await self.entries("command")
            if entry.session == session_id and entry.data["message_type"] == "set_task"
        ]

    async def until_told(
        self, session_id: str, holds: Callable[[dict[str, Any]], bool], seconds: float = 15.0
    ) -> None:
        """Wait until something is true of the newest task of a session."""

        async def is_told() -> bool:
            return any(map(holds, (await self.tasks_of(session_id))[-1:]))

        await eventually(is_told, "the session is told so", seconds)

    async def _tasks(self) -> list[tuple[str | None, list[dict[str, Any]]]]:
        """The sessions and `translations` of every `set_task`, oldest first."""
        return [
            (entry.session, entry.data["data"]["pipeline"]["translations"])
            for entry in await self.entries("command")
            if entry.data["message_type"] == "set_task"
        ]


def _speaks(session: SessionState, source_language: str) -> bool:
    return session.state == "running" and session.source_language == source_language
