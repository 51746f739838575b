"""The entrypoint of a job: a room that cannot be joined, and a process made ready."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from livekit import rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess

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
    """A job whose room cannot be joined."""

    proc: FakeProcess = field(default_factory=FakeProcess)
    shut_down: list[str] = field(default_factory=list[str])

    async def connect(self, *, auto_subscribe: AutoSubscribe) -> None:
        """Fail, with a token in the error."""
        raise rtc.ConnectError(f"token=secret {auto_subscribe}")

    def shutdown(self, reason: str = "") -> None:
        """Take note that the job ends."""
        self.shut_down.append(reason)


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
    await interpret_job(ctx)
    await end_interpretation(ctx)

    assert context.shut_down == ["the room cannot be joined"]
    assert [record.getMessage() for record in caplog.records] == ["the room cannot be joined"]
    assert "secret" not in caplog.text
