"""Opens the policy that a room's config asks for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from palabra_agent.plugin import NoSettings, RoomInfo
from palabra_agent_voice_timbre.config import TimbreConfig
from palabra_agent_voice_timbre.hearing import open_hearing
from palabra_agent_voice_timbre.policies import LocalDetection, PalabraDetection


@asynccontextmanager
async def open_timbre(
    _room: RoomInfo[NoSettings], config: TimbreConfig
) -> AsyncGenerator[PalabraDetection | LocalDetection]:
    """Open the policy for a room; with local detection, the thread that listens is its own."""
    if config.detection == "palabra":
        yield PalabraDetection(config)
        return

    async with open_hearing() as hearing:
        yield LocalDetection(config, hearing)
