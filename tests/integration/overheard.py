"""What goes to Palabra: somebody unseen listens in a session's room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from livekit import api, rtc

from palabra_agent.local.ears import Ears
from palabra_agent.local.people import Server
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
    ears = Ears(room, lambda track: track == _UPLINK)
    await room.connect(palabra.url, token.with_grants(grants).to_jwt())
    try:
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(ears.listen(), name="overhear")
            try:
                async with asyncio.timeout(_ARRIVAL_SECONDS):
                    while _UPLINK not in ears.tracks:
                        await ears.wait_for_change()
                yield ears.recording(_UPLINK)
            finally:
                listening.cancel()
    finally:
        await room.disconnect()
