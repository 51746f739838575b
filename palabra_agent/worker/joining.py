"""Joins a room as its interpreter: of several who come at nearly the same time, one stays.

All interpreters join a room under one identity at first, and LiveKit's server lets one participant
of an identity be there: the last to join. So the room itself puts jobs in order, whatever worker
they run on. Two things would undo that:

- The server ends the job that it knows under the identity of a participant who left, and so would
  end the newer job when it expels the older. It knows each job under an identity of its own
  (`registered_identity`), which no participant has; the token for the room is our own.
- LiveKit's SDK does not notice while it connects that it was expelled: it waits 15 s for its
  transports and joins again, which would expel the newer one. A job that is not in the room within
  10 s therefore gives up.

A participant who is no interpreter may have a token for that identity, and expels the interpreter.
It comes back under another one, `palabra-interpreter-2` and so on, and gives way to any interpreter
that is there by then; one that comes later, under the first identity, sends it away.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, TypeAlias

from livekit import api, rtc
from livekit.api.access_token import Claims
from livekit.protocol.models import ParticipantInfo

from palabra_agent.audio.event_path import narrow_events
from palabra_agent.concurrency import complete_or_undo, finish_despite_cancellation
from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import MeetingError
from palabra_agent.meeting.attributes import STATE_ATTRIBUTE
from palabra_agent.meeting.encryption import encryption_with
from palabra_agent.network import lead_sdk
from palabra_agent.worker.livekit_api import (
    is_interpreter,
    participants_when,
    remove_participants,
)

MOST_COMEBACKS: Final = 5
"""A guest who expels the interpreter again, as many times, keeps it away."""
_JOIN_SECONDS: Final = 10.0
_ANSWER_SECONDS: Final = 1.0
_GRACE_SECONDS: Final = 0.5
_LEAVE_SECONDS: Final = 1.0

logger = logging.getLogger(__name__)


def registered_identity(settings: WorkerSettings, job_id: str) -> str:
    """The identity under which LiveKit's server knows a job; no participant has it."""
    return f"{settings.identity}-{job_id}"


class Superseded(MeetingError):
    """A newer interpreter joined the room."""

    def __init__(self) -> None:
        super().__init__("a newer interpreter joined the room")


class IdentityTaken(MeetingError):
    """A participant who is no interpreter joined under the identity of the interpreter."""


def is_of_family(identity: str, first: str) -> bool:
    """Tell whether an identity is an interpreter's: its first one, or one of a comeback."""
    number = identity.removeprefix(f"{first}-")
    return identity == first or (number != identity and number.isdecimal())


def identity_for_comeback(first: str, taken: Collection[str]) -> str:
    """The next identity of an interpreter whose own was taken: one that no participant has."""
    candidates = (f"{first}-{number}" for number in itertools.count(2))
    return next(it for it in candidates if it not in taken)


ServeAs: TypeAlias = Callable[[str, str], Awaitable[Sequence[str] | None]]
"""Serves a room under an identity, given the one before that was taken, or nothing at first.

Returns the identities that are in the room where a participant who is no interpreter took it; None
at the end.
"""


async def serve_despite_guests(first: str, serve_as: ServeAs) -> None:
    """Serve a room, under another identity each time that ours is taken; not for ever.

    Args:
        first: The identity that all interpreters have at first.
        serve_as: Serves the room.
    """
    identity, taken = first, ""
    for _ in range(1 + MOST_COMEBACKS):
        there = await serve_as(identity, taken)
        if there is None:
            return

        facts = {"identity": identity}
        logger.warning("a participant who is no interpreter took its identity", extra=facts)
        identity, taken = identity_for_comeback(first, there), identity

    logger.error("the interpreter was expelled %d times, and stays away", 1 + MOST_COMEBACKS)


@asynccontextmanager
async def join_room(
    settings: WorkerSettings, claims: Claims, identity: str
) -> AsyncGenerator[rtc.Room]:
    """Be in a room as its interpreter for the length of a block; an older one is sent away.

    Args:
        settings: The worker's.
        claims: What the server lets the job be and do, with the room's name.
        identity: The settings' own, or for a comeback another one.

    Raises:
        Superseded: A newer interpreter is there.
        IdentityTaken: A participant who is no interpreter expelled us while we joined.
        MeetingError: The room could not be joined.
    """
    room = rtc.Room()
    try:
        try:
            await _connect(room, settings, claims, identity)
        except TimeoutError:
            raise await _reason_of_absence(settings, claims, identity) from None
        await _be_the_only_one(room, settings, claims, identity)
        yield room
    finally:
        await finish_despite_cancellation(room.disconnect(), seconds=_LEAVE_SECONDS)


async def identities_after_expulsion(
    settings: WorkerSettings,
    claims: Claims,
    identity: str,
    sid: str,
    seconds: float = _ANSWER_SECONDS,
) -> Sequence[str]:
    """The identities in a room from which a participant who is no interpreter has expelled us.

    Args:
        settings: The worker's.
        claims: With the room's name.
        identity: Ours.
        sid: LiveKit's id of us, whom the server may list for a moment more.
        seconds: The wait for a list with the one who expelled us.

    Raises:
        Superseded: An interpreter expelled us, or is there by now.
    """

    def is_rival(who: ParticipantInfo) -> bool:
        is_ours = is_interpreter(who) and is_of_family(who.identity, settings.identity)
        return is_ours and who.sid != sid

    def is_clear(those: Sequence[ParticipantInfo]) -> bool:
        taken = (who.identity == identity and who.sid != sid for who in those)
        return any(taken) or any(map(is_rival, those))

    room = _name_of_room(claims)
    found = await participants_when(settings.livekit, room, is_clear, seconds=seconds)
    if any(map(is_rival, found)):
        raise Superseded

    return [who.identity for who in found if who.sid != sid]


async def _be_the_only_one(
    room: rtc.Room, settings: WorkerSettings, claims: Claims, identity: str
) -> None:
    """Send away an interpreter that is there under another identity, or give way to it.

    The server puts those who join in order, and tells each of those before it: to the interpreter
    that was asked for last, one that came back is older; to one that comes back, all are newer.

    Raises:
        Superseded: This one came back, and a newer one is there.
    """
    others = [
        who.identity
        for who in room.remote_participants.values()
        if who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        and STATE_ATTRIBUTE in who.attributes
        and is_of_family(who.identity, settings.identity)
    ]
    if others and identity != settings.identity:
        raise Superseded

    await remove_participants(settings.livekit, _name_of_room(claims), others)


async def _connect(room: rtc.Room, settings: WorkerSettings, claims: Claims, identity: str) -> None:
    """Connect within the deadline; a connection that comes after a cancellation is closed."""
    livekit = settings.livekit
    token = api.AccessToken(livekit.api_key, livekit.api_secret.get_secret_value())
    token.claims = replace(claims, identity="")
    token.with_identity(identity)
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

    narrow_events(room)


async def _reason_of_absence(
    settings: WorkerSettings, claims: Claims, identity: str
) -> MeetingError:
    """Say why the room was not joined in time."""
    try:
        there = await identities_after_expulsion(settings, claims, identity, "")
    except Superseded as news:
        return news

    if identity in there:
        return IdentityTaken("a participant who is no interpreter has its identity")

    return MeetingError(f"the room could not be joined within {_JOIN_SECONDS:g} s")


def _name_of_room(claims: Claims) -> str:
    return claims.video.room if claims.video else ""
