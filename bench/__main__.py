"""`make bench`: measures everything in one run, prints a table and writes JSON.

`python -m bench delay load` measures only what is named, and writes nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.arrival import measure_arrival
from bench.delay import measure_delay
from bench.departure import measure_departure
from bench.figures import Figure
from bench.load import measure_load
from bench.stall import measure_stall
from palabra_agent import __version__
from palabra_agent.local.isolation import exec_isolated, isolation_was_asked
from palabra_agent.local.stage import open_stage

BENCHMARKS = {
    "arrival": measure_arrival,
    "delay": measure_delay,
    "stall": measure_stall,
    "load": measure_load,
    "departure": measure_departure,  # the last: it stops the worker
}
RESULTS = Path(__file__).parent / "results" / "latest.json"


async def measure(console: Console, names: Sequence[str]) -> list[Figure]:
    """Run benchmarks against one LiveKit server, emulator and worker."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="palabra-agent-bench-") as logs:
        async with open_stage(Path(logs), voice="marker", announce=console.print) as stage:
            with Progress(console=console, transient=True) as progress:
                for name in names:
                    figures += await BENCHMARKS[name](stage, progress)

    return figures


def table(figures: Sequence[Figure]) -> Table:
    """Show figures to a person."""
    view = Table("what", "unit", "p50", "p95", "max", "n", "aim", title="palabra-agent")
    for figure in figures:
        missed = figure.aim is not None and figure.p50 > figure.aim
        numbers = [f"{value:.1f}" for value in (figure.p50, figure.p95, figure.worst)]
        aim = "" if figure.aim is None else f"< {figure.aim:g}"
        view.add_row(
            *(figure.what, figure.unit, *numbers, str(len(figure.samples)), aim),
            style="yellow" if missed else None,
        )

    return view


def write(figures: Sequence[Figure], path: Path) -> None:
    """Keep figures for comparison."""
    content = {
        "version": __version__,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "figures": [
            {**asdict(figure), "p50": figure.p50, "p95": figure.p95, "max": figure.worst}
            for figure in figures
        ],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def main() -> None:
    """Measure, isolated from every network."""
    names = sys.argv[1:]
    if unknown := set(names) - BENCHMARKS.keys():
        sys.exit(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")

    if not isolation_was_asked():
        exec_isolated([sys.executable, "-m", "bench", *names])

    console = Console()
    figures = asyncio.run(measure(console, names or list(BENCHMARKS)))
    console.print(table(figures))
    if not names:
        write(figures, RESULTS)
        console.print(f"written to bench/results/{RESULTS.name}")


if __name__ == "__main__":
    main()
