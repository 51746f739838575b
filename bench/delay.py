"""How much later a sound leaves the worker than it came in.

A sound is timed four times: where the speaker speaks and where the worker publishes it for Palabra,
where Palabra speaks and where the worker plays that in the meeting. The second of each pair came
over one hop more than the first; a hop is measured in the same run, from the speaker's own mouth to
a listener in the same room.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import meeting, running_sessions
from bench.onsets import Stopwatch, open_stopwatch
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import AGENT_IDENTITY, Person
from palabra_agent.local.stage import Stage

CLICKS = 40
_ROOM = "bench-delay"
_CLICK = tone(1000, 0.4, amplitude=0.5)
_AIM_MS = 80.0


@dataclass(slots=True)
class _Times:
    hop: list[float] = field(default_factory=list[float])
    up: list[float] = field(default_factory=list[float])
    down: list[float] = field(default_factory=list[float])
    lost: int = 0


async def measure_delay(stage: Stage, progress: Progress) -> list[Figure]:
    """Time clicks through the worker, both ways."""
    task = progress.add_task("added delay", total=CLICKS)
    times = _Times()
    async with meeting(stage, _ROOM, speakers=1) as (speaker,):
        palabra_room = str((await running_sessions(stage))[0]["room"])
        async with (
            open_stopwatch(stage.livekit, _ROOM) as here,
            open_stopwatch(stage.livekit, palabra_room) as there,
        ):
            for _ in range(CLICKS):
                await _click(speaker, here, there, times)
                progress.advance(task)
                await asyncio.sleep(random.uniform(0.3, 0.5))  # every phase of every clock

    hop = Figure("one hop, for comparison", "ms", tuple(times.hop))
    return [
        hop,
        Figure("added delay, to Palabra", "ms", _less(times.up, hop.p50), _AIM_MS),
        Figure("added delay, to the room", "ms", _less(times.down, hop.p50), _AIM_MS),
        Figure("clicks lost", "", (float(times.lost),)),
    ]


async def _click(speaker: Person, here: Stopwatch, there: Stopwatch, times: _Times) -> None:
    since = time.monotonic()
    await speaker.say(_CLICK)
    microphone = next(key for key in here.onsets if key.startswith(f"{speaker.identity}/"))
    voice = next(key for key in there.onsets if key.endswith("/microphone"))
    bot = next((key for key in there.onsets if key.endswith("/translation_es")), "")
    spoken = await here.next_onset(microphone, since, 1)
    uplink = await there.next_onset(voice, since, 1)
    answered = await there.next_onset(bot or await _bot_key(there), since, 4)
    downlink = await here.next_onset(f"{AGENT_IDENTITY}/translation_es", since, 4)
    if spoken is None or uplink is None or answered is None or downlink is None:
        times.lost += 1
        return

    times.hop.append((spoken - since) * 1000)
    times.up.append((uplink - spoken) * 1000)
    times.down.append((downlink - answered) * 1000)


async def _bot_key(there: Stopwatch) -> str:
    """Wait until the bot was heard for the first time; return its track's key."""
    while True:
        for key in there.onsets:
            if key.endswith("/translation_es"):
                return key
        await asyncio.sleep(0.05)  # once per run


def _less(samples: list[float], hop_ms: float) -> tuple[float, ...]:
    return tuple(sample - hop_ms for sample in samples)
