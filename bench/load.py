"""The cost of a room: processor time per direction, and memory of its job."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import meeting
from bench.talkers import PAUSE_SECONDS, talk, talkers
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices

SPEAKERS = (1, 4, 8)
MANY = (14, 20)
LOAD_SECONDS = 12.0
_BEFORE_SECONDS = 3.0
_MIB = 1024 * 1024
PSS_AIM_MIB = 90.0


@dataclass(frozen=True, slots=True)
class Load:
    """The resources that a job used while people spoke."""

    pid: int
    core_percent: float
    """Of one core, for one direction."""
    pss_mib: float
    rss_mib: float


async def measure_load(
    stage: LocalServices, progress: Progress, *, is_long: bool = False
) -> list[Figure]:
    """Let more and more people speak at once, and look at the job's process.

    Args:
        stage: The services.
        progress: Shows how far it is.
        is_long: Ends with so many that they fill the processors of a small machine.
    """
    counts = (*SPEAKERS, *MANY) if is_long else SPEAKERS
    task = progress.add_task("load", total=len(counts))
    figures: list[Figure] = []
    for count in counts:
        load, idle_percent = await _load_of(stage, f"bench-load-{count}", count)
        aim = PSS_AIM_MIB if count == 4 else None
        figures += [
            Figure(f"core per direction, {count} speakers", "%", (load.core_percent,)),
            Figure(f"left of the machine, {count} speakers", "%", (idle_percent,)),
            Figure(f"memory of the job (PSS), {count} speakers", "MiB", (load.pss_mib,), aim),
            Figure(f"memory of the job (RSS), {count} speakers", "MiB", (load.rss_mib,)),
        ]
        progress.advance(task)

    return figures


async def _load_of(stage: LocalServices, room: str, count: int) -> tuple[Load, float]:
    """Let people speak, all at once; tells how much of the machine was idle as well.

    Where nothing is left, the job may have had less than it needs.
    """
    async with (
        meeting(stage, room, 0),
        talkers(stage, room, count, "en", PAUSE_SECONDS),
    ):
        await asyncio.sleep(_BEFORE_SECONDS)
        meter = Meter(stage.worker.process.pid)
        psutil.cpu_times_percent()
        await asyncio.sleep(LOAD_SECONDS)
        return meter.read(2 * count), psutil.cpu_times_percent().idle


class Meter:
    """Looks at the busiest process of a family, from now on."""

    def __init__(self, pid: int) -> None:
        self._eldest = psutil.Process(pid)
        self._before = {it.pid: _cpu_seconds(it) for it in self._family}
        self._since = time.monotonic()

    @property
    def busiest(self) -> psutil.Process:
        """That which has used the most processor time."""
        return max(self._family, key=self._spent)

    def read(self, directions: int) -> Load:
        """Tell what it has used, shared among directions."""
        process, seconds = self.busiest, time.monotonic() - self._since
        memory = process.memory_full_info()
        share = self._spent(process) / seconds / directions * 100
        return Load(process.pid, share, memory.pss / _MIB, memory.rss / _MIB)

    @property
    def _family(self) -> list[psutil.Process]:
        return [self._eldest, *self._eldest.children(recursive=True)]

    def _spent(self, process: psutil.Process) -> float:
        return _cpu_seconds(process) - self._before.get(process.pid, 0.0)


async def observe(pid: int, people: Sequence[SimulatedPerson]) -> Load:
    """Let people speak, all at once, and look at the busiest process of a family."""
    meter = Meter(pid)
    async with asyncio.TaskGroup() as group:
        talking = [group.create_task(talk(person), name="talk") for person in people]
        await asyncio.sleep(LOAD_SECONDS)
        load = meter.read(2 * len(people))
        for task in talking:
            task.cancel()

    return load


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
