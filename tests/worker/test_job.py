"""The entrypoint of a job: a room that cannot be joined, and a process made ready."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from livekit import api
from livekit.agents import JobContext, JobProcess
from livekit.api.access_token import Claims

from palabra_agent.config.settings import WorkerSettings, load_settings
from palabra_agent.worker.job import end_interpretation, interpret_job, prepare_process
from tests.environment import environment

pytestmark = pytest.mark.unit

VARIABLES = {
    "LIVEKIT_URL": "ws://127.0.0.1:9",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "s" * 40,
    "PALABRA_API_KEY": "key",
}


@dataclass
class FakeProcess:
    """The process of a job, as far as a job asks for it."""

    userdata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class FakeContext:
    """A job in a room of a server that is not there."""

    proc: FakeProcess = field(default_factory=FakeProcess)
    shut_down: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])

    def token_claims(self) -> Claims:
        """What the server would let the job do."""
        return Claims(kind="agent", video=api.VideoGrants(room_join=True, room="board"))

    def shutdown(self, reason: str = "") -> None:
        """Take note that the job ends."""
        self.shut_down.put_nowait(reason)


def settings() -> WorkerSettings:
    """Settings of a worker."""
    with environment(VARIABLES):
        return load_settings()


def test_a_process_knows_settings_and_plugins() -> None:
    """Before it knows its room."""
    process = FakeProcess()
    prepare_process(settings(), cast("JobProcess", process))

    assert process.userdata["palabra_agent.settings"] == settings()
    assert "palabra_agent.plugins" in process.userdata


async def test_a_room_that_cannot_be_joined_ends_the_job(caplog: pytest.LogCaptureFixture) -> None:
    """The log says so without the token, and there is nothing to end."""
    context = FakeContext()
    ctx = cast("JobContext", context)
    prepare_process(settings(), cast("JobProcess", context.proc))
    await interpret_job(ctx)
    async with asyncio.timeout(10):
        reason = await context.shut_down.get()
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    await end_interpretation(ctx)

    assert reason == "the interpretation ended"
    assert "the room cannot be joined" in said
    assert "eyJ" not in caplog.text


JOB = """
import logging, signal, types
from tests.native_panic import give_up
from tests.worker.test_job import settings
from palabra_agent.worker.job import prepare_process

logging.basicConfig(format="%(levelname)s %(message)s")
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as LiveKit Agents has it in a job's process
prepare_process(settings(), types.SimpleNamespace(userdata={}))
give_up()
print("goes on")
"""


def test_a_native_panic_is_reported_and_survived() -> None:
    """The log says what happened, beside what the SDK prints; what still works goes on."""
    ended = subprocess.run(
        [sys.executable, "-c", JOB], capture_output=True, text=True, check=False, timeout=120
    )

    assert (ended.returncode, ended.stdout) == (0, "goes on\n")
    assert "ERROR the native part of livekit's sdk gave up" in ended.stderr.splitlines()
    assert "FFI Panic:" in ended.stderr
