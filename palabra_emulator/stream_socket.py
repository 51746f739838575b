"""A client's WebSocket as a session's `Transport`: packets both ways, sound among them."""

from __future__ import annotations

import asyncio
import logging
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Sequence
from socket import SHUT_RDWR
from typing import Final

import aiohttp
from aiohttp import web

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.ports import CUT, DONE, ClientJoined, ClientLeft, Packet, TransportEvent

logger = logging.getLogger(__name__)

_SEND_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0


class StreamSocket:
    """A session's way to a client by WebSocket; its sound is messages, so it plays none itself."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._has_joined = False
        self._is_gone = False
        self.over = asyncio.Event()
        """Set when the connection has ended, whoever ended it."""

    async def next_event(self) -> TransportEvent:
        """Wait for what the client does next; one who has left does nothing any more."""
        if not self._has_joined:
            self._has_joined = True
            return ClientJoined()

        while not self._is_gone:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                return Packet(message.data.encode())
            if message.type is aiohttp.WSMsgType.BINARY:
                return Packet(message.data)
            if not self._is_gone:
                self._end()
                return ClientLeft()

        nothing: asyncio.Future[TransportEvent] = asyncio.get_running_loop().create_future()
        return await nothing

    async def listen(self, _hear: Callable[[Pcm], None], /) -> None:
        """Hear nothing beside the messages, for ever."""
        await asyncio.get_running_loop().create_future()

    async def has_input(self) -> bool:
        """Say that nothing arrived beside the messages."""
        return False

    async def send(self, payload: bytes, /) -> None:
        """Send a text frame; to a client that is gone or does not read, it is lost."""
        if self._is_gone:
            return

        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await _send(self._socket, payload)
        except (ConnectionError, aiohttp.ClientError, TimeoutError):
            logger.debug("a message could not be sent")

    async def offer(self, _languages: Sequence[str], /, *, anew: bool) -> None:
        """Do nothing: there are no tracks."""

    async def play(self, _language: str, _pcm: Pcm, /) -> None:
        """Do nothing: the session sends speech in messages."""

    def hush(self, _language: str, /) -> None:
        """Do nothing: what was sent is the client's."""

    async def expel_client(self, code: int = DONE, /) -> None:
        """Close the connection, if the client has not."""
        if self._is_gone:
            return

        self._end()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await _close(self._socket, code)
        except (ConnectionError, aiohttp.ClientError, TimeoutError):
            logger.debug("a WebSocket was not closed in time")

    def _end(self) -> None:
        self._is_gone = True
        self.over.set()


async def _send(socket: web.WebSocketResponse, payload: bytes) -> None:
    """Send a text; what is no text goes as it is."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        await socket.send_bytes(payload)
    else:
        await socket.send_str(text)


async def _close(socket: web.WebSocketResponse, code: int) -> None:
    if code != CUT:
        await socket.close(code=code)
        return

    wire: TransportSocket | None = socket.get_extra_info("socket")
    if wire is not None:
        wire.shutdown(SHUT_RDWR)
