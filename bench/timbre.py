"""What it costs to hear how high a voice is: the plugin voice-timbre with local detection.

An estimate is timed as the host asks for one: two seconds of speech at first, another second where
that did not tell. Meanwhile the event loop is asked how late it is, as whatever carries sound would
notice. What loading adds is measured in a process of its own, which has all that a job has.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib import import_module

import numpy as np
import psutil
from palabra_agent_voice_timbre import TimbreConfig, plugin
from rich.progress import Progress

from bench.figures import Figure
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.local.services import LocalServices
from palabra_agent.plugin import NoSettings, RoomInfo, Speaker, Speech, TimbreEstimator

ESTIMATES = 40
TOGETHER = 8
"""As many speakers as are listened to at once."""
LOADS = 5
AIM_MS = 10.0
"""For a second of speech: one percent of a core, which is taken for no longer than it takes to
tell their voice."""
AIM_LATE_MS = 20.0
_TICK_SECONDS = 0.001
_LOAD_DEADLINE_SECONDS = 60.0
_ROOM = RoomInfo("bench-timbre", NoSettings())
_LOCAL = TimbreConfig(detection="local")


async def measure_timbre(_stage: LocalServices, progress: Progress) -> list[Figure]:
    """Time estimates, one by one and many at once, and what loading adds."""
    task = progress.add_task("timbre", total=ESTIMATES + LOADS)
    loads = []
    for _ in range(LOADS):
        loads.append(await _load_elsewhere())
        progress.advance(task)

    async with plugin.open(_ROOM, _LOCAL) as opened:
        assert isinstance(opened, TimbreEstimator)
        first = await _time_estimates(opened, 2.0, lambda: progress.advance(task, 0.5))
        further = await _time_estimates(opened, 1.0, lambda: progress.advance(task, 0.5))
        async with _lateness() as late:
            together = await _time_together(opened)

    return [
        Figure("timbre: processor for a first estimate, of 2 s", "ms", first, 2 * AIM_MS),
        Figure("timbre: processor for a further one, of 1 s", "ms", further, AIM_MS),
        Figure(f"timbre: {TOGETHER} first estimates at once", "ms", (together,), 1000.0),
        Figure("timbre: event loop late while estimating", "ms", tuple(late), AIM_LATE_MS),
        Figure("timbre: opening", "ms", tuple(load["opening_ms"] for load in loads), 3000.0),
        Figure("timbre: event loop late while opening, worst", "ms",
               tuple(load["late_ms"] for load in loads)),
        Figure("timbre: memory added to a job", "MB", tuple(load["memory_mb"] for load in loads)),
    ]  # fmt: skip


def _voice() -> Pcm:
    at = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    phase = np.cumsum(150 + 20 * np.sin(2 * np.pi * at)) / SAMPLE_RATE
    samples: Pcm = (8000 * (phase % 1) - 4000).astype(np.int16)
    return samples


_VOICE = _voice()


def _speech(seconds: float, identity: str) -> Speech:
    return Speech(
        speaker=Speaker(identity=identity, name=identity),
        samples=_VOICE[: round(seconds * SAMPLE_RATE)],
        sample_rate=SAMPLE_RATE,
    )


async def _time_estimates(
    estimator: TimbreEstimator, seconds: float, on_estimate: Callable[[], object]
) -> tuple[float, ...]:
    """The processor time of estimates, in milliseconds."""
    costs: list[float] = []
    for number in range(ESTIMATES):
        speech = _speech(seconds, f"guest-{number}")
        before = time.process_time()
        await estimator.estimate_timbre(speech)
        costs.append((time.process_time() - before) * 1000)
        on_estimate()

    return tuple(costs)


async def _time_together(estimator: TimbreEstimator) -> float:
    speeches = [_speech(2.0, f"guest-{number}") for number in range(TOGETHER)]
    before = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for speech in speeches:
            group.create_task(estimator.estimate_timbre(speech))

    return (time.perf_counter() - before) * 1000


@asynccontextmanager
async def _lateness() -> AsyncGenerator[list[float]]:
    """Milliseconds by which the event loop keeps sleeping tasks waiting, all the time."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            due = time.perf_counter() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            late.append((time.perf_counter() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        yield late
        ticking.cancel()


async def _load_elsewhere() -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.timbre"), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(_LOAD_DEADLINE_SECONDS):
        told, _ = await process.communicate()

    loaded: dict[str, float] = json.loads(told)
    return loaded


async def _load_here() -> dict[str, float]:
    """Open the plugin as a job does, let it hear once, and say what that took."""
    process = psutil.Process()
    before_mb = process.memory_info().rss / 1e6
    async with _lateness() as late:
        began = time.perf_counter()
        async with plugin.open(_ROOM, _LOCAL) as opened:
            opening_ms = (time.perf_counter() - began) * 1000
            assert isinstance(opened, TimbreEstimator)
            await opened.estimate_timbre(_speech(2.0, "guest"))
            memory_mb = process.memory_info().rss / 1e6 - before_mb

    return {"opening_ms": opening_ms, "late_ms": max(late), "memory_mb": memory_mb}


if __name__ == "__main__":
    import_module("palabra_agent.worker.job")  # which every job has in memory before
    print(json.dumps(asyncio.run(_load_here())))
