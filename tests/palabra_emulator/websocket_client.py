"""A small client of the emulator's WebSocket, written against Palabra's documentation alone."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from socket import SHUT_RDWR
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import numpy as np

from palabra_agent.audio.pcm import Pcm
from tests.clock import HANG_SECONDS, eventually
from tests.palabra_emulator.client import Listener
from tests.palabra_emulator.sounds import as_text

STREAM: Final = "/streaming-api/v1/speech-to-speech/stream"
SPREAD: Final = "/streaming-api/0a1b2c3d/v1/speech-to-speech/stream"
API_KEY: Final = "local"


class StreamClient(Listener):
    """One connection, and all that came over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__()
        self.socket = socket
        self.is_closed = False

    async def send(self, message_type: str, *, binary: bool = False, **data: object) -> None:
        """Send a command."""
        text = json.dumps({"message_type": message_type, "data": data})
        await (self.socket.send_bytes(text.encode()) if binary else self.socket.send_str(text))

    async def sound(self, *payloads: bytes, binary: bool = False) -> None:
        """Send sound as fast as it goes."""
        for payload in payloads:
            await self.send("input_audio_data", binary=binary, data=as_text(payload))

    async def start(self, settings: dict[str, Any]) -> None:
        """Send a first task and wait until it runs."""
        await self.send("set_task", **settings)
        await self.message("task_status", lambda data: data["task_status"] == "running")

    def vanish(self) -> None:
        """Be cut off without a close."""
        self.socket.get_extra_info("socket").shutdown(SHUT_RDWR)

    async def end(self) -> int | None:
        """Wait until the server closes; its code."""
        await eventually(lambda: self.is_closed, "the end of the connection")
        return self.socket.close_code

    def speech(self, language: str, *, is_compressed: bool = False) -> Pcm:
        """The speech in one language so far."""
        chunks = [
            base64.b64decode(data["data"])
            for data in self.of_type("output_audio_data")
            if data["language"] == language
        ]
        raw = [zlib.decompress(chunk) if is_compressed else chunk for chunk in chunks]
        return np.frombuffer(b"".join(raw), np.int16)

    async def read(self) -> None:
        """Keep what comes, until the end."""
        async for message in self.socket:
            text = message.data
            self.hear(text.encode() if isinstance(text, str) else text)

        self.is_closed = True


@asynccontextmanager
async def connected(
    url: str, token: str | None = API_KEY, *, path: str = STREAM, bearer: str | None = None
) -> AsyncGenerator[StreamClient]:
    """Connect with a token in the query or in a header."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    query = {"token": token} if token else {}
    async with (
        aiohttp.ClientSession(url) as http,
        http.ws_connect(path, params=query, headers=headers) as socket,
        asyncio.TaskGroup() as reading,
    ):
        client = StreamClient(socket)
        reader = reading.create_task(client.read())
        yield client
        reader.cancel()


async def refusal(url: str, token: str | None, *, path: str = STREAM) -> int:
    """The status with which a connection is refused."""
    try:
        async with connected(url, token, path=path):
            return 101
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status


async def status_of(url: str, path: str, headers: bytes) -> int:
    """The status with which a GET with these header lines is answered."""
    place = urlsplit(url)
    async with asyncio.timeout(HANG_SECONDS):
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + headers + b"\r\n\r\n")
        await writer.drain()
        status = await reader.readline()
        writer.close()

    return int(status.split()[1])
