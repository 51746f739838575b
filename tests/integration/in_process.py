"""The interpreter in the process of the tests, where its own connection can be tampered with."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, cast

from livekit import api, rtc
from livekit.agents import AutoSubscribe, JobContext, JobProcess
from livekit.protocol import models

from palabra_agent.config.settings import load_settings
from palabra_agent.local.people import AGENT_IDENTITY
from palabra_agent.worker.job import end_interpretation, interpret_job, prepare_process
from tests.environment import environment

from .stack import Room

_SUBSCRIBES_BY_ITSELF: Final = rtc.RoomOptions(auto_subscribe=False)


@dataclass
class _Process:
    """What a job knows of its process."""

    userdata: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass
class _Job:
    """What a job knows of its dispatch."""

    metadata: str
    room: models.Room


@dataclass
class _Context:
    """What LiveKit Agents gives a job, as far as ours asks for it."""

    url: str
    token: str
    job: _Job
    proc: _Process = field(default_factory=_Process)
    room: rtc.Room = field(default_factory=rtc.Room)
    shut_down: list[str] = field(default_factory=list[str])

    async def connect(self, *, auto_subscribe: AutoSubscribe) -> None:
        """Join the room, as the real one does."""
        assert auto_subscribe == AutoSubscribe.SUBSCRIBE_NONE
        await self.room.connect(self.url, self.token, _SUBSCRIBES_BY_ITSELF)

    def shutdown(self, reason: str = "") -> None:
        """Take note that the job wants to end."""
        self.shut_down.append(reason)


@asynccontextmanager
async def interpreting(room: Room, config: Mapping[str, object]) -> AsyncGenerator[rtc.Room]:
    """Run the real job of a room here while the block runs; yields its connection."""
    livekit = room.stack.livekit
    token = (
        api.AccessToken(livekit.api_key, livekit.api_secret)
        .with_identity(AGENT_IDENTITY)
        .with_kind("agent")
        .with_attributes({"palabra.state": "starting"})
        .with_grants(
            api.VideoGrants(
                room_join=True, room=room.name, agent=True, can_update_own_metadata=True
            )
        )
    )
    job = _Job(json.dumps(config), models.Room(name=room.name))
    context = _Context(livekit.url, token.to_jwt(), job)
    ctx = cast("JobContext", context)
    with environment(room.stack.environment):
        prepare_process(load_settings(), cast("JobProcess", context.proc))
    await interpret_job(ctx)
    try:
        yield context.room
        assert context.shut_down == []
    finally:
        await end_interpretation(ctx)
        await context.room.disconnect()
