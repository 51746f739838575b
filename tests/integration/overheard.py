"""What goes to Palabra: somebody unseen listens in a session's room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from livekit import api, rtc

from palabra_agent.local.people import Server
from palabra_agent.local.reception import Reception
from palabra_agent.local.recording import Recording

_UPLINK: Final = "microphone"
_ARRIVAL_SECONDS: Final = 15.0


@asynccontextmanager
async def overhear(palabra: Server, session_room: str) -> AsyncGenerator[Recording]:
    """Hear while the block runs what the interpreter sends into a session.

    Nobody in the room knows, so nothing is another than without.
    """
    grants = api.VideoGrants(
        room_join=True, room=session_room, hidden=True, can_publish=False, can_publish_data=False
    )
    token = api.AccessToken(palabra.api_key, palabra.api_secret).with_identity("overhearing")
    room = rtc.Room()
    reception = Reception(room, lambda track: track == _UPLINK)
    await room.connect(palabra.url, token.with_grants(grants).to_jwt())
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(reception.listen(), name="overhear")
            try:
                async with asyncio.timeout(_ARRIVAL_SECONDS):
                    while _UPLINK not in reception.tracks:
                        await reception.wait_for_change()
                yield reception.recording(_UPLINK)
            finally:
                listening.cancel()
    finally:
        await room.disconnect()
