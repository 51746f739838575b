"""Joins a room as its interpreter: of several who come at nearly the same time, one stays.

All interpreters join a room under one identity, and LiveKit's server lets one participant of an
identity be there: the last to join. So the room itself puts jobs in order, whatever worker they
run on. Two things would undo that:

- The server ends the job that it knows under the identity of a participant who left, and so would
  end the newer job when it expels the older. It knows each job under an identity of its own
  (`registered_identity`), which no participant has; the token for the room is our own.
- LiveKit's SDK does not notice while it connects that it was expelled: it waits 15 s for its
  transports and joins again, which would expel the newer one. A job that is not in the room within
  10 s therefore gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from livekit import api, rtc
from livekit.api.access_token import Claims

from palabra_agent.concurrency import complete_or_undo, finish_despite_cancellation
from palabra_agent.config.settings import LiveKitSettings, WorkerSettings
from palabra_agent.errors import MeetingError
from palabra_agent.meeting.encryption import encryption_with
from palabra_agent.network import lead_sdk
from palabra_agent.worker.livekit_api import interpreter_comes

_JOIN_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 0.5
_LEAVE_SECONDS: Final = 1.0


def registered_identity(settings: WorkerSettings, job_id: str) -> str:
    """The identity under which LiveKit's server knows a job; no participant has it."""
    return f"{settings.identity}-{job_id}"


class Superseded(MeetingError):
    """A newer interpreter joined the room while this one was about to."""


@asynccontextmanager
async def join_room(settings: WorkerSettings, claims: Claims) -> AsyncGenerator[rtc.Room]:
    """Be in a room as its interpreter for the length of a block; an older one is expelled.

    Args:
        settings: The worker's.
        claims: What the server lets the job be and do, with the room's name.

    Raises:
        Superseded: A newer interpreter is there.
        MeetingError: The room could not be joined.
    """
    room = rtc.Room()
    try:
        try:
            await _connect(room, settings, claims)
        except TimeoutError:
            raise await _reason_of_absence(settings.livekit, claims) from None
        yield room
    finally:
        await finish_despite_cancellation(room.disconnect(), seconds=_LEAVE_SECONDS)


async def _connect(room: rtc.Room, settings: WorkerSettings, claims: Claims) -> None:
    """Connect within the deadline; a connection that comes after a cancellation is closed."""
    livekit = settings.livekit
    token = api.AccessToken(livekit.api_key, livekit.api_secret.get_secret_value())
    token.claims = replace(claims, identity="")
    token.with_identity(settings.identity)
    key = settings.e2ee_key_of(_name_of_room(claims))
    encryption = encryption_with(key.get_secret_value()) if key is not None else None
    options = rtc.RoomOptions(auto_subscribe=False, encryption=encryption)

    async def leave(_: None) -> None:
        await room.disconnect()

    lead_sdk(livekit.url)
    try:
        async with asyncio.timeout(_JOIN_SECONDS):
            connecting = room.connect(livekit.url, token.to_jwt(), options)
            await complete_or_undo(connecting, grace_seconds=_GRACE_SECONDS, undo=leave)
    except rtc.ConnectError:  # it holds the token
        raise MeetingError("the room cannot be joined") from None


async def _reason_of_absence(livekit: LiveKitSettings, claims: Claims) -> MeetingError:
    """Say why the room was not joined in time."""
    if await interpreter_comes(livekit, _name_of_room(claims), seconds=_ANSWER_SECONDS):
        return Superseded("a newer interpreter joined the room")

    return MeetingError(f"the room could not be joined within {_JOIN_SECONDS:g} s")


def _name_of_room(claims: Claims) -> str:
    return claims.video.room if claims.video else ""
