"""The LiveKit server behind `ports.Rooms`: rooms made and closed, participants put out, tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import aiohttp
from livekit import api

from palabra_emulator.options import EmulatorOptions
from palabra_emulator.ports import RoomsUnavailable

_DEADLINE_SECONDS: Final = 5.0
_TOKEN_TTL: Final = timedelta(hours=24)
_NOBODY: Final = "nobody"
"""An agent that does not exist: a room dispatched to it gets no unnamed worker either."""

_GONE_ALREADY: Final = frozenset({api.ServerErrorCode.NOT_FOUND})
_REFUSED: Final = frozenset({401, 403})


class LiveKitRooms:
    """Rooms of one LiveKit server."""

    def __init__(self, livekit: api.LiveKitAPI, options: EmulatorOptions) -> None:
        self._livekit = livekit
        self._options = options

    async def create(self, room: str, /) -> None:
        """Make a room that no other agent enters."""
        dispatch = api.RoomAgentDispatch(agent_name=_NOBODY)
        request = api.CreateRoomRequest(name=room, agents=[dispatch])
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._livekit.room.create_room(request)
        except api.ServerError as error:
            raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            url = self._options.livekit_url
            raise RoomsUnavailable(f"The LiveKit server at {url} cannot be reached") from None

    async def delete(self, room: str, /) -> None:
        """Close a room."""
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        except api.ServerError as error:
            if error.code not in _GONE_ALREADY:
                raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            raise RoomsUnavailable("A room could not be closed") from None

    async def expel(self, room: str, identity: str, /) -> None:
        """Put a participant out."""
        request = api.RoomParticipantIdentity(room=room, identity=identity)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                await self._livekit.room.remove_participant(request)
        except api.ServerError as error:
            if error.code not in _GONE_ALREADY:
                raise RoomsUnavailable(self._refusal(error)) from None
        except (aiohttp.ClientError, TimeoutError):
            raise RoomsUnavailable("A participant could not be put out") from None

    def admit(self, room: str, identity: str, /, *, may_publish: bool) -> str:
        """Make the token with which a participant enters."""
        grants = api.VideoGrants(
            room_join=True,
            room=room,
            can_publish=may_publish,
            can_publish_data=may_publish,
            can_subscribe=True,
        )
        token = api.AccessToken(self._options.livekit_api_key, self._options.livekit_api_secret)
        return token.with_identity(identity).with_grants(grants).with_ttl(_TOKEN_TTL).to_jwt()

    def _refusal(self, error: api.ServerError) -> str:
        url = self._options.livekit_url
        if error.status in _REFUSED:
            return f"The LiveKit server at {url} refused the emulator's API key"

        return f"The LiveKit server at {url} refused a request (HTTP {error.status})"


@asynccontextmanager
async def open_rooms(options: EmulatorOptions) -> AsyncGenerator[LiveKitRooms]:
    """Open the server API; nothing is asked yet."""
    async with api.LiveKitAPI(
        options.livekit_url, options.livekit_api_key, options.livekit_api_secret
    ) as livekit:
        yield LiveKitRooms(livekit, options)
