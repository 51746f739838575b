"""Counts what a process sends to some ports and receives from them, as a network would carry it.

The headers of every packet of the namespace's loopback are looked at. UDP counts as it is; TCP,
which loopback carries in pieces of any size, counts as packets of 1500 bytes would.
Encryption, which only WebRTC has here, would add about one per cent to a WebSocket.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import psutil

_ALL_IPV4: Final = 0x0800
_OUTGOING: Final = 4
"""Loopback shows each packet twice."""

_ETHERNET_BYTES: Final = 14
_LOOKED_AT: Final = 96
_SEGMENT_BYTES: Final = 1448
_TCP_HEADERS: Final = 52


@dataclass(slots=True)
class Packets:
    """Bytes by the port that they come from and the port that they go to."""

    counted: Counter[tuple[int, int]] = field(default_factory=Counter[tuple[int, int]])

    def sent(self, mine: Collection[int], theirs: Collection[int]) -> int:
        """What went from some ports to others."""
        pairs = self.counted.items()
        return sum(size for (source, target), size in pairs if source in mine and target in theirs)

    def add(self, packet: bytes) -> None:
        """Count a packet, of which the headers are enough."""
        ip = packet[_ETHERNET_BYTES:]
        header = (ip[0] & 0x0F) * 4
        total = struct.unpack_from(">H", ip, 2)[0]
        if ip[9] not in {socket.IPPROTO_UDP, socket.IPPROTO_TCP} or len(ip) < header + 14:
            return

        ports: tuple[int, int] = struct.unpack_from(">HH", ip, header)
        if ip[9] == socket.IPPROTO_TCP:
            payload = total - header - (ip[header + 12] >> 4) * 4
            total = payload + _TCP_HEADERS * max(1, math.ceil(payload / _SEGMENT_BYTES))
        self.counted[ports] += total


@contextmanager
def count_packets() -> Generator[Packets | None]:
    """Count for the length of a block; None where this machine does not allow it."""
    packets = Packets()
    try:
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_IPV4))
    except (AttributeError, OSError):
        yield None
        return

    def look() -> None:
        while True:
            try:
                packet, (*_, kind, _, _) = tap.recvfrom(_LOOKED_AT)
            except BlockingIOError:
                return
            if kind != _OUTGOING:
                packets.add(packet)

    with tap:
        tap.bind(("lo", 0))
        tap.setblocking(False)
        loop = asyncio.get_running_loop()
        loop.add_reader(tap, look)
        try:
            yield packets
        finally:
            loop.remove_reader(tap)


def ports_of(pid: int) -> frozenset[int]:
    """The ports that a process uses now."""
    found = psutil.Process(pid).net_connections("inet4")
    return frozenset(it.laddr.port for it in found if it.laddr)
