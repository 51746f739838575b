"""A forward proxy, such as companies have, which alone knows where the servers of a test are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class ForwardProxy:
    """Passes on to this machine whatever host it is asked for, by `CONNECT` or with a whole URL."""

    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    """Each request's method, host and path; a tunnel has no path."""
    refuses_with: int = 0
    """A status, where it lets nothing through."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, until either side closes it."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            first, rest = head.split(b"\r\n", 1)
            method, target, version = first.decode().split(" ")
            address = urlsplit(f"//{target}" if method == "CONNECT" else target)
            path = address._replace(scheme="", netloc="").geturl()
            self.asked.append(f"{method} {address.hostname}{address.path}")
            if self.refuses_with:
                writer.write(
                    f"HTTP/1.1 {self.refuses_with} No\r\ncontent-length: 0\r\n\r\n".encode()
                )
                return
            there, back = await asyncio.open_connection("127.0.0.1", address.port or 80)
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                back.write(f"{method} {path} {version}\r\n".encode() + rest)
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, back))
                group.create_task(_copy(there, writer))
        finally:
            writer.close()


@asynccontextmanager
async def forward_proxy(*, refuses_with: int = 0) -> AsyncGenerator[ForwardProxy]:
    """Run a proxy on this machine while the block runs; a status makes it refuse all."""
    proxy = ForwardProxy(refuses_with=refuses_with)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield proxy


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while some := await source.read(65536):
            sink.write(some)
            await sink.drain()
    sink.close()
