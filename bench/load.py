"""The cost of a room: processor time per direction, and memory of its job."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import psutil
from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import meeting
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices

SPEAKERS = (1, 4, 8)
LOAD_SECONDS = 12.0
_SPEECH = tone(300, 3.0)
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


async def measure_load(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Let more and more people speak at once, and look at the job's process."""
    task = progress.add_task("load", total=len(SPEAKERS))
    figures: list[Figure] = []
    for count in SPEAKERS:
        async with meeting(stage, f"bench-load-{count}", count) as people:
            load = await observe(stage, people)
        aim = PSS_AIM_MIB if count == 4 else None
        figures += [
            Figure(f"core per direction, {count} speakers", "%", (load.core_percent,)),
            Figure(f"memory of the job (PSS), {count} speakers", "MiB", (load.pss_mib,), aim),
            Figure(f"memory of the job (RSS), {count} speakers", "MiB", (load.rss_mib,)),
        ]
        progress.advance(task)

    return figures


async def observe(stage: LocalServices, people: Sequence[SimulatedPerson]) -> Load:
    """Let people speak, all at once, and look at the busiest process of the worker."""
    worker = psutil.Process(stage.worker.process.pid)
    before = {child.pid: _cpu_seconds(child) for child in worker.children(recursive=True)}
    async with asyncio.TaskGroup() as group:
        talking = [group.create_task(_talk(person), name="talk") for person in people]
        await asyncio.sleep(LOAD_SECONDS)
        spent = {
            child: _cpu_seconds(child) - before.get(child.pid, 0.0)
            for child in worker.children(recursive=True)
        }
        job = max(spent, key=lambda child: spent[child])
        memory = job.memory_full_info()
        for task in talking:
            task.cancel()

    share = spent[job] / LOAD_SECONDS / (2 * len(people)) * 100
    return Load(job.pid, share, memory.pss / _MIB, memory.rss / _MIB)


async def _talk(person: SimulatedPerson) -> None:
    while True:
        await person.say(_SPEECH)
        await asyncio.sleep(1.0)  # a pause ends the utterance, so that it is interpreted


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system
