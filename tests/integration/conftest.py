"""The processes that all these tests share, and the check that none leaves a session behind."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.services import run_emulator

from .emulator_client import CLONE_AFTER_SECONDS, VOICES, EmulatorClient, Sessions
from .stack import Stack, Worker


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where every process writes what it has to say."""
    return tmp_path_factory.mktemp("logs")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def emulator(livekit_server: RunningLiveKit, logs: Path) -> AsyncGenerator[EmulatorClient]:
    """Run one emulated Palabra for the whole run."""
    options = (f"voices={','.join(VOICES)}", f"clone_after_s={CLONE_AFTER_SECONDS}")
    words = [word for option in options for word in ("--option", option)]
    async with run_emulator(livekit_server, logs, *words) as process:
        await process.until_ready()
        yield EmulatorClient(process.url, process.child)


@pytest.fixture(scope="session")
def stack(livekit_server: RunningLiveKit, emulator: EmulatorClient, logs: Path) -> Stack:
    """LiveKit and the emulator; workers are started where they are needed."""
    return Stack(livekit_server, emulator, logs)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def worker(stack: Stack) -> AsyncGenerator[Worker]:
    """Run the worker that most tests share."""
    async with stack.worker(stack.agent_name) as worker:
        yield worker


@pytest_asyncio.fixture
async def sessions(emulator: EmulatorClient) -> AsyncGenerator[Sessions]:
    """The sessions of one test, none of which may be left at its end."""
    earlier = frozenset(it.id for it in await emulator.sessions())
    mine = Sessions(emulator, earlier)
    yield mine
    await mine.over()
