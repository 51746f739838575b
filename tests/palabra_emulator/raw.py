"""Requests that no HTTP client lets through, written byte by byte."""

from __future__ import annotations

import asyncio
from typing import Final
from urllib.parse import urlsplit

_PATIENCE: Final = 5.0


async def status_of(url: str, path: str, headers: bytes) -> int:
    """The status with which a GET with these header lines is answered."""
    place = urlsplit(url)
    async with asyncio.timeout(_PATIENCE):
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + headers + b"\r\n\r\n")
        await writer.drain()
        status = await reader.readline()
        writer.close()

    return int(status.split()[1])
