"""palabra-ai 2 in a talk with an emulator of its own, and what either side knows of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from palabra_emulator.options import EmulatorOptions

from .steering import Steering, steer
from .witness import Witness, run_witness


@dataclass(frozen=True, slots=True)
class Talk:
    """The SDK, and the emulator that it talks to."""

    palabra: Witness
    sdk: Steering

    async def billed(self) -> float:
        """The seconds that the session has cost so far."""
        return float((await self.palabra.session())["billed_seconds"])

    async def commands(self) -> list[tuple[str, str]]:
        """What the session was told, with the outcomes."""
        session = await self.palabra.session()
        return [(it.name, it.outcome) for it in self.palabra.commands(session["id"])]


@dataclass(frozen=True, slots=True)
class CurrentSdk:
    """palabra-ai 2 in its own environment."""

    python: Path
    folder: Path
    habits: EmulatorOptions

    @asynccontextmanager
    async def talk(self, api_key: str = "local") -> AsyncGenerator[Talk]:
        """Have it talk to an emulator of its own while the block runs."""
        log = self.folder / "sdk.log"
        async with (
            run_witness(self.habits) as palabra,
            steer(self.python, palabra.url, log, api_key) as sdk,
        ):
            yield Talk(palabra, sdk)
