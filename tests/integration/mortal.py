"""A LiveKit server that can be killed, and that comes back as the same one."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.processes import free_port


class MortalLiveKit:
    """A server with ports and keys that outlive it."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._port = free_port()
        self._rtc = {"udp_port": free_port(socket.SOCK_DGRAM), "tcp_port": free_port()}
        self._key, self._secret = "mortal", secrets.token_urlsafe(32)
        self._lives = 0
        self._life = AsyncExitStack()
        self._server: RunningLiveKit | None = None

    @property
    def livekit(self) -> RunningLiveKit:
        """The server of this life; the address and the keys are those of every life."""
        assert self._server is not None, "it has not been started"
        return self._server

    async def start(self) -> None:
        """Begin a life; returns when the server answers."""
        self._lives += 1
        server = run_livekit_server(
            port=self._port,
            api_key=self._key,
            api_secret=self._secret,
            log_path=self._logs / f"mortal-livekit-{self._lives}.log",
            settings={"rtc": self._rtc},
        )
        self._server = await self._life.enter_async_context(server)

    async def kill(self) -> None:
        """End it as a crash does, without a word to anybody."""
        process = self.livekit.child.process
        process.kill()
        await process.wait()
        await self.aclose()

    async def restart(self, pause_seconds: float) -> None:
        """Kill it, and start it again after a pause."""
        await self.kill()
        await asyncio.sleep(pause_seconds)
        await self.start()

    async def aclose(self) -> None:
        """End this life, if there is one."""
        life, self._life = self._life, AsyncExitStack()
        await life.aclose()


@asynccontextmanager
async def run_mortal_livekit(logs: Path) -> AsyncGenerator[MortalLiveKit]:
    """Have a server that may be killed while the block runs."""
    server = MortalLiveKit(logs)
    await server.start()
    try:
        yield server
    finally:
        await server.aclose()
