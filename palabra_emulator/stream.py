"""The WebSocket surface: who may connect with which token, how often, and to which session."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from aiohttp import web

from palabra_emulator.credentials import is_same
from palabra_emulator.faults.signalling import Signalling, undisturbed
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.ports import GOING_AWAY, REFUSED
from palabra_emulator.registry import Registry
from palabra_emulator.session import Session
from palabra_emulator.stream_socket import StreamSocket

STREAM_PATH: Final = "/streaming-api/v1/speech-to-speech/stream"

_SPREAD_PATH: Final = "/streaming-api/{hash}/v1/speech-to-speech/stream"
"""Any word in the path, by which Palabra spreads connections over its servers."""

_CONNECTIONS: Final = 20
_CONNECTIONS_SECONDS: Final = 60.0
_HEARTBEAT_SECONDS: Final = 14.0
"""A client that vanished is noticed after one and a half of it: about 20 s, as in a room."""

_CLOSE_SECONDS: Final = 2.0
_LARGEST_FRAME: Final = 4 * 1024 * 1024


class ConnectionLimit:
    """Counts each token's connections of the last minute."""

    def __init__(self) -> None:
        self._made: dict[str, deque[float]] = {}

    def admits(self, token: str, now: float) -> bool:
        """Whether a token may connect once more; if so, it counts."""
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
        registry: Registry,
        journal: Journal,
        signalling: Signalling | None = None,
    ) -> None:
        self._options = options
        self._registry = registry
        self._journal = journal
        self._signalling = signalling or undisturbed()
        self._limit = ConnectionLimit()

    def add_to(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get(STREAM_PATH, self._connect)
        app.router.add_get(_SPREAD_PATH, self._connect)

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        token = _token(request)
        is_key = is_same(token, self._options.api_key)
        invited = None if is_key else self._registry.invited(token)
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
        self, socket: web.WebSocketResponse, token: str, invited: Session | None
    ) -> None:
        is_limited = self._options.rate_limits != "off"
        if is_limited and not self._limit.admits(token, time.monotonic()):
            self._journal.add(None, "stream", refusal="too many connections")
            await socket.close(code=REFUSED, message=b"Too many connections")
            return

        stream = StreamSocket(socket)
        if invited is None:
            if not self._registry.open_for(stream):
                await stream.expel_client(GOING_AWAY)
        elif not self._registry.announce(invited, stream):
            await stream.expel_client(REFUSED)
        await stream.over.wait()


def _token(request: web.Request) -> str:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    return request.query.get("token") or (bearer.strip() if scheme.lower() == "bearer" else "")
