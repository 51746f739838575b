"""A peer for the WebSocket transport: it notes what comes, and says what a test wants."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.clock import eventually

TOKEN = "secret-token"


@dataclass
class StreamPeer:
    """Palabra's end of a WebSocket."""

    accepts: str = "header"
    """Where it looks for the token: `header`, `address`, or `nowhere`."""
    refusal: int = 401
    answers_pings: bool = True
    url: str = ""
    upgrades: list[str] = field(default_factory=list[str])
    """How each connection showed its token."""
    commands: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sounds: list[bytes] = field(default_factory=list[bytes])
    sound_times: list[float] = field(default_factory=list[float])
    """When each chunk came, by the event loop's clock."""
    pongs: list[bytes] = field(default_factory=list[bytes])
    socket: web.WebSocketResponse = field(default_factory=web.WebSocketResponse)
    connection: asyncio.Transport | None = None
    has_left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Take a connection, and listen to it until it ends."""
        shown = {
            "header": request.headers.get("Authorization") == f"Bearer {TOKEN}",
            "address": request.query.get("token") == TOKEN,
        }
        self.upgrades.append("+".join(place for place, is_there in shown.items() if is_there))
        if not shown.get(self.accepts):
            return web.Response(status=self.refusal, text=f"no {TOKEN}")

        socket = web.WebSocketResponse(autoping=self.answers_pings)
        await socket.prepare(request)
        self.socket = socket
        assert isinstance(request.transport, asyncio.Transport)
        self.connection = request.transport
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._note(json.loads(message.data))
            elif message.type is WSMsgType.PONG:
                self.pongs.append(message.data)

        self.has_left.set()
        return socket

    async def say(self, message_type: str, data: object) -> None:
        """Send a message."""
        await self.socket.send_str(json.dumps({"message_type": message_type, "data": data}))

    async def speak(
        self, sound: bytes, language: str = "es", *, utterance: str = "u1", is_last: bool = False
    ) -> None:
        """Send a chunk of translated speech."""
        chunk = {
            "transcription_id": utterance,
            "translation_part_id": "0",
            "language": language,
            "last_chunk": is_last,
            "data": base64.b64encode(sound).decode(),
        }
        await self.say("output_audio_data", chunk)

    async def heard(self, chunks: int) -> bytes:
        """Wait until so many chunks came; returns all that came, in one piece."""
        await eventually(lambda: len(self.sounds) >= chunks)
        return b"".join(self.sounds)

    def vanish(self) -> None:
        """Break the connection off without a word."""
        assert self.connection is not None
        self.connection.abort()

    def stop_reading(self) -> None:
        """Take nothing any more, as a machine that hangs."""
        assert self.connection is not None
        self.connection.pause_reading()

    def _note(self, message: dict[str, Any]) -> None:
        if message["message_type"] == "input_audio_data":
            self.sounds.append(base64.b64decode(message["data"]["data"], validate=True))
            self.sound_times.append(asyncio.get_running_loop().time())
        else:
            self.commands.append(message)


@asynccontextmanager
async def stream_peer(peer: StreamPeer | None = None) -> AsyncGenerator[StreamPeer]:
    """Have a peer listening for the length of a block."""
    peer = peer or StreamPeer()
    app = web.Application()
    app.router.add_get("/{place:.*}", peer.serve)
    async with TestServer(app) as server:
        peer.url = str(server.make_url("/stream")).replace("http", "ws", 1)
        yield peer
