"""Many tracks in one process: by the short path of audio events, and by LiveKit's own classes.

Twenty go through LiveKit's server. Sixty would keep a small machine busy with encoding, so they go
through the SDK alone, as its events do not care.

Each run has a process of its own (`looped_tracks.py`), as the path is chosen once in a process. One
that collapses under its load is ended after a while, and its column stays empty.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rich.progress import Progress

from bench.figures import Figure, of_column
from bench.looped_tracks import LONG, PROCESS, ROOM, SHORT, Looped
from palabra_agent.local.processes import Child, run_child
from palabra_agent.local.services import LocalServices, livekit_environment

TRACKS: Final = ((20, ROOM), (60, PROCESS))
SECONDS: Final = 20.0
_DEADLINE_SECONDS: Final = SECONDS + 70.0
_LATE_AIM_MS: Final = 20.0
_LOST_AIM_PERCENT: Final = 1.0
_PATHS: Final[Mapping[str, str]] = {SHORT: "short path", LONG: "LiveKit's own classes"}


async def measure_streams(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Play more and more tracks, both ways after each other."""
    task = progress.add_task("streams", total=len(TRACKS) * len(_PATHS))
    figures: list[Figure] = []
    for count, place in TRACKS:
        found: dict[str, Looped] = {}
        for path, name in _PATHS.items():
            looped = await _run(stage, count, path, place)
            if looped is not None:
                found[path] = looped
                figures += of_column(f"{count} in a {place}, {name}", _figures(looped, path))
            progress.advance(task)
        if len(found) == len(_PATHS):
            share = 100 * found[SHORT].frame_us / found[LONG].frame_us
            of_both = [Figure("the same, of that of LiveKit's own classes", "%", (share,))]
            figures += of_column(f"{count} in a {place}, {_PATHS[SHORT]}", of_both)

    return figures


def _figures(looped: Looped, path: str) -> list[Figure]:
    lost_aim, late_aim = (_LOST_AIM_PERCENT, _LATE_AIM_MS) if path == SHORT else (None, None)
    return [
        Figure("core per track, there and back", "%", (looped.core_percent,)),
        Figure("processor per frame heard", "µs", (looped.frame_us,)),
        Figure("frames lost", "%", (looped.lost_percent,), lost_aim),
        Figure("lateness of the event loop, p99", "ms", (looped.late_ms,), late_aim),
    ]


async def _run(stage: LocalServices, count: int, path: str, place: str) -> Looped | None:
    """Measure in a process of its own; None where it did not come to an end."""
    words = (str(count), f"{SECONDS:g}", path, place)
    argv = [sys.executable, "-m", "bench.looped_tracks", *words]
    # what the native part says of frames that end with their process would push the answer out
    env = {**livekit_environment(stage.livekit), "RUST_LOG": "off"}
    with tempfile.TemporaryDirectory(prefix="palabra-agent-bench-") as folder:
        log_path = Path(folder) / "looped_tracks.log"
        async with run_child("the process", argv, log_path=log_path, env=env) as child:
            return await _answer(child)


async def _answer(child: Child) -> Looped | None:
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            await child.process.wait()
    except TimeoutError:
        return None

    answer = next((line for line in child.last_lines() if line.startswith("{")), "")
    return Looped(**json.loads(answer)) if answer else None
