"""Measured quantities: their samples, the numbers of interest, tables, and a file to compare."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from rich.table import Table

from palabra_agent import __version__
from palabra_agent.local.livekit_build import find_livekit_server


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report, or one cell where several ways are compared."""

    what: str
    unit: str
    samples: tuple[float, ...]
    aim: float | None = None
    """The median should stay under it, where there is an aim."""
    column: str = ""
    """Which of several ways it belongs to, where they are compared."""
    points: tuple[tuple[float, float], ...] = ()
    """The samples of a curve, each with its time in seconds."""

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.samples) if self.samples else float("nan")

    @property
    def p95(self) -> float:
        """The value that 95 of 100 samples stay under."""
        return percentile(self.samples, 0.95)

    @property
    def worst(self) -> float:
        """The largest sample."""
        return max(self.samples, default=float("nan"))


def of_column(column: str, figures: Iterable[Figure]) -> list[Figure]:
    """Put figures into a column of a comparison."""
    return [replace(figure, column=column) for figure in figures]


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample that this share of all stays under or at."""
    if not samples:
        return float("nan")

    ordered = sorted(samples)
    return ordered[min(round(share * (len(ordered) - 1)), len(ordered) - 1)]


def tables(figures: Mapping[str, Sequence[Figure]]) -> Iterator[Table]:
    """Show the figures of several benchmarks: one list, and a table for each that compares."""
    listed = [one for group in figures.values() for one in group if not one.column]
    if listed:
        yield _list(listed)

    for name, group in figures.items():
        compared = [one for one in group if one.column]
        if compared:
            yield _comparison(name, compared)


def write(
    figures: Mapping[str, Sequence[Figure]], path: Path, load_before: Sequence[float]
) -> None:
    """Keep figures for comparison, with all that they depend on.

    Args:
        figures: By their benchmarks.
        path: The file.
        load_before: Of the machine, before it was measured: 1, 5 and 15 minutes.
    """
    content = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"processor": _processor(), "cores": os.cpu_count()},
        "versions": _versions(),
        "load": {"before": load_before, "after": os.getloadavg()},
        "figures": [
            {
                "benchmark": name,
                **asdict(figure),
                "p50": figure.p50,
                "p95": figure.p95,
                "max": figure.worst,
            }
            for name, group in figures.items()
            for figure in group
        ],
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def _versions() -> dict[str, str]:
    installed = {it: importlib.metadata.version(it) for it in ("livekit", "livekit-agents")}
    return {
        "palabra-agent": __version__,
        "python": platform.python_version(),
        **installed,
        "livekit-server": _server_version(),
    }


def _server_version() -> str:
    server = find_livekit_server()
    if server is None:
        return ""

    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=False)
    return said.stdout.strip().rpartition(" ")[2]


def _processor() -> str:
    """Its model, as Linux calls it; else what Python knows."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()

    return platform.processor()


def _list(figures: Sequence[Figure]) -> Table:
    view = Table("what", "unit", "p50", "p95", "max", "n", "aim", title="palabra-agent")
    for figure in figures:
        numbers = [f"{value:.1f}" for value in (figure.p50, figure.p95, figure.worst)]
        view.add_row(
            *(figure.what, figure.unit, *numbers, str(len(figure.samples)), _aim(figure)),
            style="yellow" if _is_missed(figure) else None,
        )

    return view


def _comparison(name: str, figures: Sequence[Figure]) -> Table:
    """One row for what was measured, one column for each way in which it was."""
    columns = list(dict.fromkeys(figure.column for figure in figures))
    rows = list(dict.fromkeys((figure.what, figure.unit) for figure in figures))
    cells = {(figure.what, figure.column): figure for figure in figures}
    view = Table("what", "unit", *columns, "aim", title=f"{name}: p50 (max; n)")
    for what, unit in rows:
        found = [cells.get((what, column)) for column in columns]
        aims = {_aim(figure) for figure in found if figure is not None}
        view.add_row(what, unit, *map(_cell, found), aims.pop() if len(aims) == 1 else "")

    return view


def _cell(figure: Figure | None) -> str:
    if figure is None or not figure.samples:
        return "-"

    text = f"{figure.p50:.1f}"
    if len(figure.samples) > 1:
        text += f" ({figure.worst:.1f}; {len(figure.samples)})"

    return f"[yellow]{text}[/]" if _is_missed(figure) else text


def _is_missed(figure: Figure) -> bool:
    return figure.aim is not None and figure.p50 > figure.aim


def _aim(figure: Figure) -> str:
    return "" if figure.aim is None else f"< {figure.aim:g}"
