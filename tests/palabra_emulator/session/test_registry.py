"""The registry of sessions."""

from __future__ import annotations

import asyncio

import pytest

from palabra_emulator.interpreting.voices import MarkerVoice
from palabra_emulator.journal import Journal
from palabra_emulator.script import load_script
from palabra_emulator.session.registry import SessionRegistry
from palabra_emulator.session.running import SessionRunner
from palabra_emulator.transports.ports import RoomNames, RoomsUnavailable
from tests.clock import HANG_SECONDS
from tests.palabra_emulator.fakes import (
    OPTIONS,
    FakeLiveKit,
    FakeTransport,
)

pytestmark = pytest.mark.unit


async def test_registry_that_closes_opens_no_more() -> None:
    """Whoever asks for a session while the emulator stops is answered at once."""
    registry = SessionRegistry(OPTIONS, load_script(), Journal(), idle_runner())
    async with asyncio.timeout(HANG_SECONDS), asyncio.TaskGroup() as home:
        home.create_task(registry.run())
        await registry.close()

        with pytest.raises(RoomsUnavailable, match="stops"):
            await registry.create("api")
        assert not registry.create_for(FakeTransport(RoomNames("room", "bot", "client")))


def idle_runner() -> SessionRunner:
    """A runner that runs nothing."""
    livekit = FakeLiveKit()
    return SessionRunner(livekit.rooms, livekit.open_transport, MarkerVoice(), keep_sids=True)
