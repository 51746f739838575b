"""The delay that the worker adds: how much later a sound leaves it than it came in.

A sound is timed four times: where the speaker speaks and where the worker publishes it for Palabra,
where Palabra speaks and where the worker plays that in the meeting. The second of each pair came
over one hop more than the first; a hop is measured in the same run, from the speaker's own mouth to
a listener in the same room.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import meeting, running_sessions
from bench.onsets import Stopwatch, open_stopwatch
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from palabra_agent.local.services import LocalServices

CLICKS = 40
AIM_MS = 80.0
CHANNEL = f"{AGENT_IDENTITY}/translation_es"
"""Where the interpretation is heard."""
_ROOM = "bench-delay"
_CLICK = tone(1000, 0.4, amplitude=0.5)
_FIRST_SECONDS = 4.0
"""Until the speaker is heard for the first time."""


@dataclass(slots=True)
class Times:
    """All that was timed, in milliseconds; a hop is in everything."""

    hop: list[float] = field(default_factory=list[float])
    up: list[float] = field(default_factory=list[float])
    down: list[float] = field(default_factory=list[float])
    lost: int = 0


async def measure_delay(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Time clicks through the worker, both ways."""
    task = progress.add_task("added delay", total=CLICKS)
    async with meeting(stage, _ROOM, speakers=1) as (speaker,):
        palabra_room = str((await running_sessions(stage))[0]["room"])
        async with (
            open_stopwatch(stage.livekit, _ROOM) as here,
            open_stopwatch(stage.livekit, palabra_room) as there,
        ):
            times = await time_clicks(speaker, here, there, CLICKS, lambda: progress.advance(task))

    hop = Figure("one hop, for comparison", "ms", tuple(times.hop))
    return [
        hop,
        Figure("added delay, to Palabra", "ms", less(times.up, hop.p50), AIM_MS),
        Figure("added delay, to the room", "ms", less(times.down, hop.p50), AIM_MS),
        Figure("clicks lost", "", (float(times.lost),)),
    ]


async def time_clicks(
    speaker: SimulatedPerson,
    here: Stopwatch,
    there: Stopwatch,
    count: int,
    on_click: Callable[[], object],
) -> Times:
    """Let the speaker click, and time it in the meeting and at Palabra."""
    times = Times()
    for _ in range(count):
        await _click(speaker, here, there, times)
        on_click()
        await asyncio.sleep(random.uniform(0.3, 0.5))  # every phase of every clock

    return times


def less(samples: list[float], hop_ms: float) -> tuple[float, ...]:
    """Take a hop out of times."""
    return tuple(sample - hop_ms for sample in samples)


async def _click(speaker: SimulatedPerson, here: Stopwatch, there: Stopwatch, times: Times) -> None:
    since = time.monotonic()
    await speaker.say(_CLICK)
    keys = [
        await here.key_of(f"microphone_{speaker.identity}", _FIRST_SECONDS),
        await there.key_of("microphone", _FIRST_SECONDS),
        await there.key_of("translation_es", _FIRST_SECONDS),
    ]
    spoken = await here.next_onset(keys[0], since, 1)
    uplink = await there.next_onset(keys[1], since, 1)
    answered = await there.next_onset(keys[2], since, 4)
    downlink = await here.next_onset(CHANNEL, since, 4)
    if spoken is None or uplink is None or answered is None or downlink is None:
        times.lost += 1
        return

    times.hop.append((spoken - since) * 1000)
    times.up.append((uplink - spoken) * 1000)
    times.down.append((downlink - answered) * 1000)
