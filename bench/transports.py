"""WebRTC and WebSocket compared: the same meeting, one after the other, in one run.

One person clicks, and the delay is taken as `delay.py` says. To Palabra a WebSocket has no second
hop that could be taken out, so nothing is: a click has arrived when the message that holds its
beginning has. Then four people speak at once, and what that costs is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from rich.progress import Progress

from bench.delay import AIM_MS, less, time_clicks
from bench.figures import Figure, of_column
from bench.load import LOAD_SECONDS, PSS_AIM_MIB, observe
from bench.meetings import ROOM_CONFIG, join_speaker, meeting, running_sessions, until_running
from bench.onsets import Stopwatch, open_stopwatch
from bench.own_palabra import OwnPalabra, open_own_palabra
from bench.packets import count_packets, ports_of
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices
from palabra_emulator.transports.audio_formats import InputEncoding, InputFormat

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
        load = await observe(palabra.stage, people)

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
