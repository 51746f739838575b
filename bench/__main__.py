"""`make bench`: measures everything in one run, prints tables and writes JSON.

`python -m bench delay load` measures only what is named, and writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from bench.arrival import measure_arrival, measure_departure
from bench.delay import measure_delay
from bench.figures import Figure, tables, write
from bench.load import measure_load
from bench.readers import measure_readers
from bench.recovery import measure_recovery
from bench.stall import measure_stall
from bench.timbre import measure_timbre
from bench.transports import measure_transports
from bench.voices import measure_voices
from bench.wake import measure_wake
from palabra_agent.local.isolation import exec_isolated, isolation_was_asked
from palabra_agent.local.services import run_services

BENCHMARKS = {
    "arrival": measure_arrival,
    "delay": measure_delay,
    "stall": measure_stall,
    "load": measure_load,
    "transports": measure_transports,
    "recovery": measure_recovery,
    "wake": measure_wake,
    "voices": measure_voices,
    "timbre": measure_timbre,
    "readers": measure_readers,
    "departure": measure_departure,  # the last: it stops the worker
}
RESULTS = Path(__file__).parent / "results" / "latest.json"


async def measure(console: Console, names: Sequence[str]) -> dict[str, list[Figure]]:
    """Run benchmarks against one LiveKit server, emulator and worker."""
    figures: dict[str, list[Figure]] = {}
    with tempfile.TemporaryDirectory(prefix="palabra-agent-bench-") as logs:
        async with run_services(Path(logs), voice="marker", announce=console.print) as stage:
            with Progress(console=console, transient=True) as progress:
                for name in names:
                    figures[name] = await BENCHMARKS[name](stage, progress)

    return figures


def main() -> None:
    """Measure, isolated from every network."""
    names = sys.argv[1:]
    if unknown := set(names) - BENCHMARKS.keys():
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")

    if not isolation_was_asked():
        exec_isolated([sys.executable, "-m", "bench", *names])

    # it complains whenever a listener of ours leaves, in the middle of the progress
    logging.getLogger("livekit").setLevel(logging.CRITICAL)
    console = Console()
    figures = asyncio.run(measure(console, names or list(BENCHMARKS)))
    for table in tables(figures):
        console.print(table)

    if not names:
        write(figures, RESULTS)
        console.print(f"written to bench/results/{RESULTS.name}")


if __name__ == "__main__":
    main()
