"""How simulated people come into a room and leave it again.

This module alone knows the token with which a person comes, which this process mints, and in which
order a person is put together and taken apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Protocol

from livekit import api, rtc

from palabra_agent.concurrency import single_failure
from palabra_agent.errors import MeetingError
from palabra_agent.local.ears import Ears
from palabra_agent.local.person import AGENT_IDENTITY, Person, Utterance
from palabra_agent.local.texts import Caption, ChatMessage

__all__ = [
    "AGENT_IDENTITY",
    "Caption",
    "ChatMessage",
    "Person",
    "Server",
    "Utterance",
    "join",
    "mint_token",
]

_CONNECT_SECONDS: Final = 20.0


class Server(Protocol):
    """What must be known of a LiveKit server to join its rooms."""

    @property
    def url(self) -> str:
        """For rooms: `ws://127.0.0.1:7880`."""
        ...

    @property
    def api_key(self) -> str:
        """Signs tokens, with the secret."""
        ...

    @property
    def api_secret(self) -> str:
        """Signs tokens."""
        ...


@asynccontextmanager
async def join(
    server: Server,
    room: str,
    identity: str,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
    microphone: bool = True,
    hears: Callable[[str], bool] = lambda track: track.startswith("translation_"),
    options: rtc.RoomOptions | None = None,
) -> AsyncGenerator[Person]:
    """Be in a room while the block runs.

    Args:
        server: Which LiveKit, and the keys with which this process mints the token.
        room: Made by LiveKit when it does not exist.
        identity: Unique in the room.
        name: What others see; the identity by default.
        attributes: Such as `palabra.speak`, `palabra.listen`, `language`.
        microphone: Whether one is published at once, so that others see the person at once.
        hears: Names of the tracks whose sound is kept.
        options: LiveKit's own.

    Raises:
        MeetingError: The room cannot be joined.
    """
    livekit_room = rtc.Room()
    ears = Ears(livekit_room, hears)
    person = Person(livekit_room, ears, identity)
    token = mint_token(server, room, identity, name=name, attributes=attributes)

    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await livekit_room.connect(server.url, token, options or rtc.RoomOptions())
    except rtc.ConnectError as error:
        raise MeetingError(f"the room at {server.url} cannot be joined: {error.message}") from None
    except TimeoutError:
        raise MeetingError(f"the room at {server.url} cannot be joined: no answer") from None

    with single_failure():
        async with asyncio.TaskGroup() as group:
            listening = group.create_task(ears.listen(), name=f"ears:{identity}")
            try:
                if microphone:
                    await person.publish_microphone()
                yield person
            finally:
                listening.cancel()
                await person.leave()


def mint_token(
    server: Server,
    room: str,
    identity: str,
    *,
    name: str = "",
    attributes: Mapping[str, str] | None = None,
) -> str:
    """A token with which somebody may do in a room whatever guests may do."""
    return (
        api.AccessToken(server.api_key, server.api_secret)
        .with_identity(identity)
        .with_name(name or identity)
        .with_attributes(dict(attributes or {}))
        .with_ttl(timedelta(hours=6))
        .with_grants(
            api.VideoGrants(
                room_join=True,
                room=room,
                can_publish=True,
                can_subscribe=True,
                can_publish_data=True,
                can_update_own_metadata=True,
            )
        )
        .to_jwt()
    )
