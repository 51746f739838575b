"""The delay after the interpreter's process, or LiveKit's server, stood still: curves of 30 s.

A speaker clicks over the noise of a room, as `clicks.py` says, and others talk besides. A process
is stopped with all its threads, as on a machine that is starved or moved. What then waits in the
interpreter's own queues, and in its jitter buffers, is shown beside the delay.

`--long` takes old tracks as well, four speakers everywhere, and Palabra over WebSocket: half an
hour.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Literal

from rich.progress import Progress

from bench.clicks import Clicks, Mouth, Point, Way
from bench.figures import Figure
from bench.meetings import ROOM_CONFIG, until_running
from bench.onsets import Stopwatch, open_stopwatch
from bench.relay import Relay, open_relay
from bench.served_room import begin_to_observe, observations, serving
from bench.talkers import talk
from bench.transports import WEBRTC, WEBSOCKET
from bench.transports import Way as Transport
from palabra_agent.local.people import join
from palabra_agent.local.processes import stand_still
from palabra_agent.local.services import LocalServices, run_emulator

_YOUNG_SECONDS: Final = 20.0
_OLD_SECONDS: Final = 180.0
_BEFORE_SECONDS: Final = 10.0
_FOLLOWED_SECONDS: Final = 30.0
_APART_SECONDS: Final = 1.0
"""From the beginning of a stop to that of the next."""
_STILL_SECONDS: Final = {"process": 0.25, "LiveKit": 0.3}
_SPANS: Final = ((-_BEFORE_SECONDS, 0.0), (0.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 30.0))

_CHANNEL: Final = "translation_es"
_CLICK_TRACK: Final = "clicks"
_CLICKER: Final = {"palabra.speak": "en", "palabra.listen": "en"}
_OTHERS: Final = {"palabra.speak": "es", "palabra.listen": "es"}
_CONFIRMING: Final = {"transcription": {"segment_confirmation_silence_threshold": 0.3}}


@dataclass(frozen=True, slots=True)
class Case:
    """One meeting, and what stands still in the middle of it."""

    still: Literal["process", "LiveKit"]
    times: int
    speakers: int = 1
    age: float = _YOUNG_SECONDS
    """Of the tracks, in seconds."""
    transport: Transport = WEBRTC

    @property
    def name(self) -> str:
        """Says what it is."""
        way = "" if self.transport is WEBRTC else f", {self.transport.name}"
        return f"{self.still} {self.times}×, N={self.speakers}, {self.age:g} s{way}"


@dataclass(frozen=True, slots=True)
class Course:
    """What became of the delay; times are in seconds since the first stop."""

    clicks: Clicks
    held: list[Point]
    """What waited in the queues of the interpreter's process."""
    jitter: list[Point]
    """What waited in its jitter buffers."""


_QUICK: Final = (
    (Case("process", 1), Case("process", 3)),
    (Case("process", 3, speakers=4),),
    (Case("LiveKit", 3),),
)
"""Those of a line go on at the same time."""
_OLD_ALONE: Final = Case("process", 1, 1, _OLD_SECONDS)
_LONG: Final = (
    *_QUICK,
    (Case("process", 1, 4),),
    *((Case("LiveKit", times, 4),) for times in (1, 3)),
    (Case("LiveKit", 1),),
    (_OLD_ALONE, replace(_OLD_ALONE, times=3)),
    *((Case("process", times, 4, _OLD_SECONDS),) for times in (1, 3)),
    *((Case("LiveKit", times, 1, _OLD_SECONDS),) for times in (1, 3)),
    (Case("LiveKit", 3, 4, _OLD_SECONDS),),
    (Case("process", 1, transport=WEBSOCKET), Case("process", 3, transport=WEBSOCKET)),
)


async def measure_stops(
    stage: LocalServices, progress: Progress, *, is_long: bool = False
) -> list[Figure]:
    """Stop one thing after the other, and follow what becomes of the delay."""
    lines = _LONG if is_long else _QUICK
    task = progress.add_task("stops", total=len(lines))
    figures: list[Figure] = []
    for cases in lines:
        async with asyncio.TaskGroup() as group:
            following = [group.create_task(follow(stage, case)) for case in cases]
        for case, course in zip(cases, following, strict=True):
            figures += _figures(case, course.result())
        progress.advance(task)

    return figures


def _figures(case: Case, course: Course) -> list[Figure]:
    """A row of the round trip over time, and what of it was held here in the end."""
    last = _SPANS[-1]
    columns = [(f"{a:g} to {b:g} s", course.clicks.both, a, b) for a, b in _SPANS]
    columns += [("our queues", course.held, *last), ("jitter buffer", course.jitter, *last)]
    return [
        *(_column(case.name, *column) for column in columns),
        Figure(f"clicks lost, {case.name}", "", (float(len(course.clicks.lost)),)),
    ]


def _column(what: str, column: str, points: Sequence[Point], start: float, end: float) -> Figure:
    found = tuple(it for it in points if start <= it[0] < end)
    return Figure(what, "ms", tuple(ms for _, ms in found), column=column, points=found)


async def follow(stage: LocalServices, case: Case) -> Course:
    """Hold a meeting, stop something in the middle of it, and go on."""
    clicks = Clicks()
    async with _meeting(stage, case) as (mouth, way, process), asyncio.TaskGroup() as group:
        clicking = group.create_task(clicks.time_all(mouth, way), name="clicks")
        await asyncio.sleep(case.age - _BEFORE_SECONDS)
        begin_to_observe(process)
        await asyncio.sleep(_BEFORE_SECONDS)
        first = time.monotonic()
        pid = stage.livekit.child.process.pid if case.still == "LiveKit" else process.pid
        for number in range(case.times):
            await asyncio.sleep(first + number * _APART_SECONDS - time.monotonic())
            await stand_still(pid, _STILL_SECONDS[case.still])
        await asyncio.sleep(first + _FOLLOWED_SECONDS - time.monotonic())
        clicking.cancel()
        seen = await observations(process)

    held, jitter = ([(at - first, ms) for at, ms in it] for it in (seen.held, seen.jitter))
    return Course(clicks.since(first, first - _BEFORE_SECONDS), held, jitter)


@asynccontextmanager
async def _meeting(stage: LocalServices, case: Case) -> AsyncGenerator[tuple[Mouth, Way, Process]]:
    """One who clicks, others who talk all the time in another language, and an interpreter."""
    room = f"bench-stops-{secrets.token_hex(3)}"
    config = {**ROOM_CONFIG, "palabra": {**case.transport.palabra, **_CONFIRMING}}
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        own, relay = await stack.enter_async_context(_own_emulator(stage, room))
        relay.sound = case.transport.sound or relay.sound
        joining = join(stage.livekit, room, "clicker", attributes=_CLICKER, microphone=False)
        clicker = await stack.enter_async_context(joining)
        others = [
            await stack.enter_async_context(join(stage.livekit, room, f"{n}", attributes=_OTHERS))
            for n in range(1, case.speakers)
        ]
        mouth = Mouth(await clicker.publish(_CLICK_TRACK))
        here = await stack.enter_async_context(open_stopwatch(stage.livekit, room))
        process = await stack.enter_async_context(serving(own, room, config))
        there = await stack.enter_async_context(_ear_of_palabra(own, relay, case))
        # not before: what is said until a session is open is held, and would count as a delay
        tasks = [group.create_task(mouth.breathe(), name="noise")]
        tasks += [group.create_task(talk(it), name="talk") for it in others]
        yield mouth, Way(here, there, _CLICK_TRACK, "microphone", _CHANNEL, _CHANNEL), process
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def _ear_of_palabra(
    own: LocalServices, relay: Relay, case: Case
) -> AsyncGenerator[Stopwatch]:
    """Hear what Palabra hears of the one who clicks, and what it answers."""
    running = await until_running(own, case.speakers)
    if case.transport.sound is not None:
        yield relay.stopwatch
        return

    session = next(it for it in running if it["targets"] == ["es"])
    async with open_stopwatch(own.livekit, str(session["room"])) as stopwatch:
        yield stopwatch


@asynccontextmanager
async def _own_emulator(
    stage: LocalServices, name: str
) -> AsyncGenerator[tuple[LocalServices, Relay]]:
    """Have an emulator for one meeting alone, behind a relay, which answers as soon as it may."""
    logs = stage.worker.log_path.parent / name
    logs.mkdir()
    async with (
        run_emulator(stage.livekit, logs, "--latency-ms", "0") as emulator,
        open_relay(int(emulator.url.rpartition(":")[2])) as relay,
    ):
        await emulator.until_ready()
        yield replace(stage, emulator_url=relay.url), relay
