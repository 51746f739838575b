"""The way into a session's LiveKit room, with our voice; bounded, and nothing of it torn."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

from livekit import rtc

from palabra_agent.audio.rtc import AudioOutput, microphone_options
from palabra_agent.concurrency import complete
from palabra_agent.errors import SessionLost, Unreachable
from palabra_agent.palabra.rest.answers import SessionTicket

_CONNECT_SECONDS: Final = 15.0
_GRACE_SECONDS: Final = 0.5


async def connect(room: rtc.Room, ticket: SessionTicket) -> None:
    """Join it.

    Raises:
        Unreachable: It could not be joined.
    """
    host = urlsplit(ticket.webrtc_url).netloc
    options = rtc.RoomOptions(auto_subscribe=True, single_peer_connection=False)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await complete(
                room.connect(ticket.webrtc_url, ticket.token, options),
                grace_seconds=_GRACE_SECONDS,
                undo=_leave_it,
            )
    except TimeoutError:
        raise Unreachable(host, f"not connected within {_CONNECT_SECONDS:g} s") from None
    except rtc.ConnectError:
        raise Unreachable(host, "the session's room refused the connection") from None


async def publish(room: rtc.Room, voice: AudioOutput) -> None:
    """Let our track be heard there.

    Raises:
        SessionLost: It could not be published, as where sound cannot pass.
    """
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await complete(
                room.local_participant.publish_track(voice.track, microphone_options()),
                grace_seconds=_GRACE_SECONDS,
                undo=_leave_it,
            )
    except (TimeoutError, rtc.participant.PublishTrackError):
        raise SessionLost("the microphone could not be published") from None


async def _leave_it(_result: object) -> None:
    """Nothing to undo: it goes with the connection, which is left next."""
