"""The interpreter beside what others do: a plain relay of an afternoon, and Pinch's relay loop.

They take turns on one server, each with the same speaker, the same emulator and the same listener:
first undisturbed, then their process stands still three times, as on a starved machine, and is
followed for half a minute. Ratios say how many times as much the others take as we do.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.progress import Progress

from bench import pinch, plain_relay
from bench.clicks import Clicks, Mouth, Point, Way
from bench.figures import Figure, of_column
from bench.load import Load, Meter, observe
from bench.meetings import ROOM_CONFIG, dispatch, join_speaker, until_running
from bench.onsets import open_stopwatch
from bench.own_palabra import OwnEmulator, open_own_emulator
from bench.picture import Curve, draw
from palabra_agent.local.people import join, mint_token
from palabra_agent.local.processes import run_child, stand_still
from palabra_agent.local.services import LocalServices

STOPS: Final = (0.0, 1.0, 2.0)
"""When the process is stopped, in seconds after the first time."""
STILL_SECONDS: Final = 0.25

_BEFORE_SECONDS: Final = 12.0
_FOLLOWED_SECONDS: Final = 30.0
_SPANS: Final = ((-_BEFORE_SECONDS, 0.0), (0.0, 4.0), (4.0, 8.0), (8.0, 16.0), (16.0, 30.0))
_CROWD: Final = 4
_MICROPHONE: Final = "microphone_speaker"
_READY_SECONDS: Final = 15.0
"""Until the first click has come back."""
_CONFIG: Final[Mapping[str, Any]] = {
    **ROOM_CONFIG,
    "palabra": {"transcription": {"segment_confirmation_silence_threshold": 0.3}},
}


@dataclass(frozen=True, slots=True)
class Contender:
    """One that brings sound to Palabra and back."""

    name: str
    module: str = ""
    """The program that does it; empty for the worker."""
    channel: str = plain_relay.TRANSLATION
    """The track that people hear."""
    microphone: str = "microphone"
    """The track that Palabra hears."""

    @asynccontextmanager
    async def at_work(self, own: OwnEmulator, room: str) -> AsyncGenerator[int]:
        """Have it in a room for a block; tells the process that does it, or the eldest of them."""
        stage = own.stage
        if not self.module:
            await dispatch(stage, room, _CONFIG, own.agent_name)
            yield stage.worker.process.pid
            return

        token = mint_token(stage.livekit, room, "interpreter")
        words = (stage.livekit.url, token, stage.emulator_url)
        command = [sys.executable, "-m", self.module, *words]
        log = stage.worker.log_path.parent / f"{room}.log"
        async with run_child(self.name, command, log_path=log) as child:
            yield child.process.pid


OURS: Final = Contender("palabra-agent")
PLAIN: Final = Contender("plain relay", plain_relay.__name__)
PINCH: Final = Contender("Pinch's loop", pinch.__name__, pinch.TRANSLATION, pinch.MICROPHONE)


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen of a contender in one meeting; times are seconds after the first stop."""

    clicks: Clicks
    load: Load


async def measure_beside(
    stage: LocalServices, progress: Progress, svg: Path | None = None
) -> list[Figure]:
    """Let them take turns, and compare them; draws a picture of the delay where one is wanted."""
    others = [PINCH] if pinch.is_installed() else []
    turns = [OURS, PLAIN, *others, OURS, PLAIN]
    task = progress.add_task("beside others", total=len(turns) + 2)
    runs: dict[Contender, list[Run]] = {it: [] for it in turns}
    crowds: dict[Contender, Load] = {}
    async with open_own_emulator(stage, "--latency-ms", "0") as own:
        for contender in turns:
            runs[contender].append(await _follow(own, contender))
            progress.advance(task)
        for contender in (OURS, PLAIN):
            crowds[contender] = await _observe_crowd(own, contender)
            progress.advance(task)

    if not others:
        progress.console.print(f"{PINCH.name} is not installed; `make bench` tries to")
    if svg is not None:
        _draw(runs, svg)
    figures = {it: _figures(it, runs[it], crowds.get(it)) for it in runs}
    return [
        *(figure for group in figures.values() for figure in group),
        *(ratio for it in runs if it is not OURS for ratio in ratios(figures[OURS], figures[it])),
    ]


def _draw(runs: Mapping[Contender, Sequence[Run]], svg: Path) -> None:
    curves = [Curve(it.name, [run.clicks.both for run in runs[it]]) for it in runs]
    svg.write_text(draw(curves, STOPS))


def ratios(ours: Sequence[Figure], theirs: Sequence[Figure]) -> list[Figure]:
    """How many times as much theirs are as ours, where both are known and ours is not nothing."""
    known = {it.what: it for it in ours if it.samples and it.p50 > 0 and it.unit}
    return [
        Figure(it.what, it.unit, (it.p50 / known[it.what].p50,), column=f"{it.column} ÷ ours")
        for it in theirs
        if it.what in known and it.samples
    ]


async def _follow(own: OwnEmulator, contender: Contender) -> Run:
    """Time clicks before, while and after its process stands still."""
    clicks = Clicks()
    async with _meeting(own, contender) as (mouth, way, pid), asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(mouth.breathe(), name="noise"),
            group.create_task(clicks.time_all(mouth, way), name="clicks"),
        ]
        async with asyncio.timeout(_READY_SECONDS):
            while not clicks.both:  # noqa: ASYNC110 - clicks tell nobody
                await asyncio.sleep(0.1)
        meter = Meter(pid)
        await asyncio.sleep(_BEFORE_SECONDS)
        first = time.monotonic()
        for later in STOPS:
            await asyncio.sleep(first + later - time.monotonic())
            await stand_still(meter.busiest.pid, STILL_SECONDS)
        await asyncio.sleep(first + _FOLLOWED_SECONDS - time.monotonic())
        load = meter.read(directions=2)
        for task in tasks:
            task.cancel()

    return Run(clicks.since(first, first - _BEFORE_SECONDS), load)


async def _observe_crowd(own: OwnEmulator, contender: Contender) -> Load:
    """Let several people speak at once."""
    room = f"bench-crowd-{secrets.token_hex(3)}"
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(join_speaker(own.stage, room, number))
            for number in range(_CROWD)
        ]
        await stack.enter_async_context(open_stopwatch(own.stage.livekit, room))
        pid = await stack.enter_async_context(contender.at_work(own, room))
        await until_running(own.stage, _CROWD)
        load = await observe(pid, people)

    await until_running(own.stage, 0)
    return load


@asynccontextmanager
async def _meeting(
    own: OwnEmulator, contender: Contender
) -> AsyncGenerator[tuple[Mouth, Way, int]]:
    """One who clicks, one who listens, and a contender between them and Palabra."""
    stage, room = own.stage, f"bench-beside-{secrets.token_hex(3)}"
    wishes = {"palabra.speak": "en", "palabra.listen": "en"}
    async with (
        join(stage.livekit, room, "speaker", attributes=wishes, microphone=False) as speaker,
        open_stopwatch(stage.livekit, room) as here,
    ):
        microphone = await speaker.publish(_MICROPHONE)
        async with contender.at_work(own, room) as pid:
            session = (await until_running(stage, 1))[0]
            async with open_stopwatch(stage.livekit, str(session["room"])) as there:
                tracks = (_MICROPHONE, contender.microphone, "translation_es", contender.channel)
                way = Way(here, there, *tracks)
                yield Mouth(microphone), way, pid

    await until_running(stage, 0)


def _figures(contender: Contender, runs: Sequence[Run], crowd: Load | None) -> list[Figure]:
    """What is compared, in this order."""
    up = [point for it in runs for point in it.clicks.up]
    down = [point for it in runs for point in it.clicks.down]
    both = [point for it in runs for point in it.clicks.both]
    found = [
        _curve("to Palabra", up, *_SPANS[0]),
        _curve("back into the room", down, *_SPANS[0]),
        _curve("both ways, undisturbed", both, *_SPANS[0]),
        *(_curve(f"both ways, {a:g} to {b:g} s after", both, a, b) for a, b in _SPANS[1:]),
        *_costs("1 speaker", [it.load for it in runs]),
        *_costs(f"{_CROWD} speakers", [crowd] if crowd is not None else []),
        Figure("clicks lost", "", (float(sum(len(it.clicks.lost) for it in runs)),)),
    ]
    return of_column(contender.name, found)


def _curve(what: str, points: Sequence[Point], start: float, end: float) -> Figure:
    found = tuple(it for it in points if start <= it[0] < end)
    return Figure(what, "ms", tuple(ms for _, ms in found), points=found)


def _costs(of_whom: str, loads: Sequence[Load]) -> list[Figure]:
    return [
        Figure(f"core a direction, {of_whom}", "%", tuple(it.core_percent for it in loads)),
        Figure(f"memory (PSS), {of_whom}", "MiB", tuple(it.pss_mib for it in loads)),
    ]
