"""`make bench`: measures everything in one run, prints tables and writes JSON.

`python -m bench delay load` measures only what is named, and writes nothing unless told where.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from rich.console import Console
from rich.progress import Progress

from bench.arrival import measure_arrival, measure_departure
from bench.beside import measure_beside
from bench.choosing import measure_choosing
from bench.crowd import measure_crowd
from bench.delay import measure_delay
from bench.figures import Figure, tables, write
from bench.leakage import measure_leakage
from bench.load import measure_load
from bench.readers import measure_readers
from bench.recovery import measure_recovery
from bench.span import LONG_MINUTES, MINUTES, measure_span
from bench.stall import measure_stall
from bench.stops import measure_stops
from bench.streams import measure_streams
from bench.timbre import measure_timbre
from bench.transports import measure_transports
from bench.voices import measure_voices
from bench.wake import measure_wake
from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.local.isolation import exec_isolated, isolation_was_asked
from palabra_agent.local.services import LocalServices, run_services

Benchmark: TypeAlias = Callable[[LocalServices, Progress], Awaitable[list[Figure]]]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "arrival": measure_arrival,
    "delay": measure_delay,
    "stall": measure_stall,
    "stops": measure_stops,
    "load": measure_load,
    "span": measure_span,
    "beside": measure_beside,
    "streams": measure_streams,
    "transports": measure_transports,
    "recovery": measure_recovery,
    "wake": measure_wake,
    "leakage": measure_leakage,
    "voices": measure_voices,
    "timbre": measure_timbre,
    "readers": measure_readers,
    "choosing": measure_choosing,
    "crowd": measure_crowd,
    "departure": measure_departure,  # the last: it stops the worker
}
RESULTS = Path(__file__).parent / "results" / "latest.json"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    names: Sequence[str]
    """The benchmarks; all if empty."""
    minutes: float
    is_long: bool
    json: Path | None
    svg: Path | None


def benchmarks(wishes: Wishes) -> dict[str, Benchmark]:
    """All that there are, as they are wanted."""
    wanted = {
        "stops": partial(measure_stops, is_long=wishes.is_long),
        "load": partial(measure_load, is_long=wishes.is_long),
        "span": partial(measure_span, minutes=wishes.minutes),
        "beside": partial(measure_beside, svg=wishes.svg),
    }
    return {**BENCHMARKS, **wanted}


async def measure(console: Console, wishes: Wishes) -> dict[str, list[Figure]]:
    """Run benchmarks against one LiveKit server, emulator and worker."""
    figures: dict[str, list[Figure]] = {}
    available = benchmarks(wishes)
    with tempfile.TemporaryDirectory(prefix="palabra-agent-bench-") as logs:
        async with run_services(Path(logs), voice="marker", announce=console.print) as stage:
            with Progress(console=console, transient=True) as progress:
                for name in wishes.names or BENCHMARKS:
                    figures[name] = await available[name](stage, progress)

    return figures


def read_wishes(words: Sequence[str]) -> Wishes:
    """Read the command line; ends the program where it is wrong."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="how long the talks of `span` are"
    )
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"the same as --minutes {LONG_MINUTES}, all cases of `stops`, and a full `load`",
    )
    parser.add_argument("--json", type=Path, help="the file to write")
    parser.add_argument("--svg", type=Path, help="the picture of `beside` to write")
    read = parser.parse_args(words)
    if unknown := set(read.names) - BENCHMARKS.keys():
        parser.error(
            f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    if read.minutes < MINUTES:
        parser.error(f"--minutes must be at least {MINUTES}, not {read.minutes}")

    minutes = LONG_MINUTES if read.long else read.minutes
    return Wishes(read.names, minutes, read.long, read.json, read.svg)


def main() -> None:
    """Measure, isolated from every network."""
    wishes = read_wishes(sys.argv[1:])
    if not isolation_was_asked():
        exec_isolated([sys.executable, "-m", "bench", *sys.argv[1:]])

    # it complains whenever a listener of ours leaves, in the middle of the progress
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    prefer_short_path()
    console = Console()
    load = os.getloadavg()
    figures = asyncio.run(measure(console, wishes))
    for table in tables(figures):
        console.print(table)

    target = wishes.json or (None if wishes.names else RESULTS)
    if target is not None:
        write(figures, target, load)
        console.print(f"written to {target}")


if __name__ == "__main__":
    main()
