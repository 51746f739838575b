"""The WebSocket: which client may connect to which session, and its connection as a transport."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio.trsock import TransportSocket
from collections import deque
from collections.abc import Callable, Sequence
from socket import SHUT_RDWR
from typing import Final

import aiohttp
from aiohttp import web

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.credentials import is_same
from palabra_emulator.faults.signalling import SignallingFaults, faultless_signalling
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.session.registry import SessionRegistry
from palabra_emulator.session.session import EmulatedSession
from palabra_emulator.transports.ports import (
    CUT,
    DONE,
    GOING_AWAY,
    REFUSED,
    ClientJoined,
    ClientLeft,
    Packet,
    TransportEvent,
)

logger = logging.getLogger(__name__)

_SEND_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 2.0

STREAM_PATH: Final = "/streaming-api/v1/speech-to-speech/stream"
_SPREAD_PATH: Final = "/streaming-api/{hash}/v1/speech-to-speech/stream"
"""Any word in the path, by which Palabra spreads connections over its servers."""

_CONNECTIONS: Final = 20
_CONNECTIONS_SECONDS: Final = 60.0
_HEARTBEAT_SECONDS: Final = 14.0
"""A client that vanished is noticed after one and a half of it: about 20 s, as in a room."""

_LARGEST_FRAME: Final = 4 * 1024 * 1024


class StreamSocket:
    """A session's way to a client by WebSocket; its sound is messages, so it plays none itself."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._has_joined = False
        self._is_gone = False
        self.over = asyncio.Event()
        """Set when the connection has ended, from either side."""

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


class ConnectionLimit:
    """Counts each token's connections of the last minute."""

    def __init__(self) -> None:
        self._made: dict[str, deque[float]] = {}

    def admits(self, token: str, now: float) -> bool:
        """True if a token may connect once more; if so, it counts."""
        self._forget(now - _CONNECTIONS_SECONDS)
        made = self._made.setdefault(token, deque())
        if len(made) >= _CONNECTIONS:
            return False

        made.append(now)
        return True

    @property
    def tokens(self) -> int:
        """Of how many tokens something is remembered."""
        return len(self._made)

    def _forget(self, until: float) -> None:
        for token, made in list(self._made.items()):
            while made and made[0] <= until:
                made.popleft()
            if not made:
                del self._made[token]


class SpeechStream:
    """Palabra's speech-to-speech stream over the emulator's sessions."""

    def __init__(
        self,
        options: EmulatorOptions,
        registry: SessionRegistry,
        journal: Journal,
        signalling: SignallingFaults | None = None,
    ) -> None:
        self._options = options
        self._registry = registry
        self._journal = journal
        self._signalling = signalling or faultless_signalling()
        self._limit = ConnectionLimit()

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get(STREAM_PATH, self._connect)
        app.router.add_get(_SPREAD_PATH, self._connect)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        token = _token(request)
        is_key = is_same(token, self._options.api_key)
        invited = None if is_key else self._registry.with_token(token)
        if not token or not (is_key or invited):
            self._journal.add(None, "stream", path=request.path, status=403)
            return web.Response(status=403)

        status = self._signalling.upgrade_refusal(invited.faults if invited else None)
        if status is not None:
            self._journal.add(None, "stream", path=request.path, status=status)
            return web.Response(status=status)

        socket = web.WebSocketResponse(
            timeout=_CLOSE_SECONDS,
            heartbeat=_HEARTBEAT_SECONDS,
            compress=False,
            max_msg_size=_LARGEST_FRAME,
        )
        if not socket.can_prepare(request):
            return web.Response(status=426, headers={"Upgrade": "websocket"})

        await socket.prepare(request)
        await self._admit(socket, token, invited)
        return socket

    async def _admit(
        self, socket: web.WebSocketResponse, token: str, invited: EmulatedSession | None
    ) -> None:
        is_limited = self._options.rate_limits != "off"
        if is_limited and not self._limit.admits(token, time.monotonic()):
            self._journal.add(None, "stream", refusal="too many connections")
            await socket.close(code=REFUSED, message=b"Too many connections")
            return

        stream = StreamSocket(socket)
        if invited is None:
            if not self._registry.create_for(stream):
                await stream.expel_client(GOING_AWAY)
        elif not self._registry.connect(invited, stream):
            await stream.expel_client(REFUSED)
        await stream.over.wait()


def _token(request: web.Request) -> str:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return request.query.get("token") or (bearer.strip() if scheme.lower() == "bearer" else "")
