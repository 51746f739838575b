"""WebRTC and WebSocket compared: the same meeting, one after the other, in one run.

One person clicks, and the delay is taken as `delay.py` says. To Palabra a WebSocket has no second
hop that could be taken out, so nothing is: a click has arrived when the message that holds its
beginning has. Then four people speak at once, and what that costs is looked at.

The bytes of a connection are counted as a network would carry them, by the headers of every packet
of the namespace's loopback: UDP as it is; TCP, which loopback carries in pieces of any size, as
packets of 1500 bytes. Encryption, which only WebRTC has here, would add about one per cent to a
WebSocket.
"""

from __future__ import annotations

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psutil
from rich.progress import Progress

from bench.delay import AIM_MS, less, time_clicks
from bench.figures import Figure, of_column
from bench.load import LOAD_SECONDS, PSS_AIM_MIB, observe
from bench.meetings import ROOM_CONFIG, join_speaker, meeting, running_sessions, until_running
from bench.onsets import Stopwatch, open_stopwatch
from bench.own_palabra import OwnPalabra, open_own_palabra
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices
from palabra_emulator.transports.audio_formats import InputEncoding, InputFormat

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
        """The bytes that went from some ports to others."""
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


CLICKS: Final = 30
SPEAKERS: Final = 4
_RATE: Final = 24_000


@dataclass(frozen=True, slots=True)
class Way:
    """One way to Palabra."""

    name: str
    palabra: Mapping[str, Any]
    """The section of the room config."""
    sound: InputFormat | None = None
    """In which messages carry the voice."""

    @property
    def config(self) -> dict[str, Any]:
        """A room that uses it."""
        return {**ROOM_CONFIG, "palabra": dict(self.palabra)}


def _websocket(encoding: InputEncoding) -> Way:
    formats = {"format": encoding, "sample_rate": _RATE}
    settings = {"transport": "websocket", "websocket": formats}
    return Way(f"websocket {encoding}", settings, InputFormat(encoding, _RATE, 1))


WEBRTC: Final = Way("webrtc", {"transport": "webrtc"})
WEBSOCKET: Final = _websocket("pcm_s16le")
WAYS: Final = (WEBRTC, WEBSOCKET, _websocket("opus"))


async def measure_transports(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Hold the same meeting with every transport."""
    task = progress.add_task("transports", total=len(WAYS) * (CLICKS + 1))
    figures: list[Figure] = []
    async with open_own_palabra(stage) as palabra:
        for way in WAYS:
            room = f"bench-{way.name.replace(' ', '-')}"
            measured = await _measure(palabra, way, room, lambda: progress.advance(task))
            figures += of_column(way.name, measured)

    return figures


async def _measure(
    palabra: OwnPalabra, way: Way, room: str, advance: Callable[[], None]
) -> list[Figure]:
    palabra.relay.sound = way.sound or palabra.relay.sound
    palabra.relay.waits.clear()
    stage, agent = palabra.stage, palabra.agent_name
    async with AsyncExitStack() as stack:
        (first,) = await stack.enter_async_context(meeting(stage, room, 1, way.config, agent))
        delays = await _delays(palabra, way, room, first, advance)
        others = [
            await stack.enter_async_context(join_speaker(stage, room, number))
            for number in range(1, SPEAKERS)
        ]
        await until_running(stage, SPEAKERS)
        costs = await _costs(palabra, (first, *others))
        advance()

    return [*delays, *costs]


async def _delays(
    palabra: OwnPalabra, way: Way, room: str, speaker: SimulatedPerson, advance: Callable[[], None]
) -> list[Figure]:
    """Time clicks; to Palabra, there is no hop to be taken out of what comes in messages."""
    stage = palabra.stage
    palabra_room = str((await running_sessions(stage))[0]["room"])
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(open_stopwatch(stage.livekit, room))
        there = palabra.relay.stopwatch = Stopwatch()
        if way.sound is None:
            there = await stack.enter_async_context(open_stopwatch(palabra.livekit, palabra_room))

        times = await time_clicks(speaker, here, there, CLICKS, advance)

    hop = Figure("one hop, for comparison", "ms", tuple(times.hop))
    up = less(times.up, hop.p50) if way.sound is None else tuple(times.up)
    waits = tuple(wait * 1000 for wait in palabra.relay.waits)
    return [
        hop,
        Figure("added delay, to Palabra", "ms", up, AIM_MS if way.sound is None else None),
        Figure("  of which until its message is full", "ms", waits),
        Figure("added delay, to the room", "ms", less(times.down, hop.p50), AIM_MS),
        Figure("clicks lost", "", (float(times.lost),)),
    ]


async def _costs(palabra: OwnPalabra, people: Sequence[SimulatedPerson]) -> list[Figure]:
    with count_packets() as packets:
        load = await observe(palabra.stage.worker.process.pid, people)

    figures = [
        Figure(f"core per direction, {len(people)} speakers", "%", (load.core_percent,)),
        Figure(f"PSS of the job, {len(people)} speakers", "MiB", (load.pss_mib,), PSS_AIM_MIB),
    ]
    if packets is None:
        return figures

    job, theirs = ports_of(load.pid), palabra.ports
    per_speaker = LOAD_SECONDS * len(people) * 1000
    return [
        *figures,
        Figure("to Palabra, per speaker", "kB/s", (packets.sent(job, theirs) / per_speaker,)),
        Figure("from Palabra, per speaker", "kB/s", (packets.sent(theirs, job) / per_speaker,)),
    ]
