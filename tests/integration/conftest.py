"""The processes that all these tests share, and the check that none leaves a session behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.services import EmulatorProcess, run_emulator

from .emulator_client import CLONE_AFTER_SECONDS, VOICES, Sessions
from .stack import Stack, Worker

_UNLOCKED = """
[[rooms]]
match = "cloning"
ceilings = {locked = []}
"""
"""In one room, organisers may say what Palabra does not document."""


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every process writes what it has to say."""
    return tmp_path_factory.mktemp("logs")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emulator(livekit_server: RunningLiveKit, logs: Path) -> AsyncGenerator[EmulatorProcess]:
    """Run one emulated Palabra for the whole run."""
    options = (f"voices={','.join(VOICES)}", f"clone_after_s={CLONE_AFTER_SECONDS}")
    words = [word for option in options for word in ("--option", option)]
    async with run_emulator(livekit_server, logs, *words) as process:
        await process.until_ready()
        yield process


@pytest.fixture(scope="session")
def stack(livekit_server: RunningLiveKit, emulator: EmulatorProcess, logs: Path) -> Stack:
    """LiveKit and the emulator; workers are started where they are needed."""
    return Stack(livekit_server, emulator, logs)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(stack: Stack) -> AsyncGenerator[Worker]:
    """Run the worker that most tests share."""
    async with stack.worker(stack.agent_name, settings=_UNLOCKED) as worker:
        yield worker


@pytest_asyncio.fixture
async def sessions(emulator: EmulatorProcess) -> AsyncGenerator[Sessions]:
    """The sessions of one test, none of which may be left at its end."""
    mine = await Sessions.from_now_on(emulator.url)
    yield mine
    await mine.over()
