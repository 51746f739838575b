"""The delay that the worker adds: how much later a sound leaves it than it came in.

A sound is timed four times: where the speaker speaks and where the worker publishes it for Palabra,
where Palabra speaks and where the worker plays that in the meeting. The second of each pair came
over one hop more than the first; a hop is measured in the same run, from the speaker's own mouth to
a listener in the same room. One speaker is timed alone, and while others speak, in several meetings
each.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from rich.progress import Progress

from bench.figures import Figure
from bench.meetings import join_speaker, meeting, until_session
from bench.onsets import Stopwatch, open_stopwatch
from bench.talkers import SENTENCE_SECONDS, talkers
from palabra_agent.audio.tones import tone
from palabra_agent.local.people import AGENT_IDENTITY, SimulatedPerson
from palabra_agent.local.services import LocalServices

MEETINGS = 5
"""A jitter buffer holds a frame more or less for as long as its track is there."""
CLICKS = 8
"""In each."""
SPEAKERS = (1, 8)
"""One alone, and one of eight: the others speak half of the time each, several at once."""
AIM_MS = 80.0
BOTH_AIM_MS = 60.0
"""For both ways together."""
CHANNEL = f"{AGENT_IDENTITY}/translation_es"
"""Where the interpretation is heard; of others, who are interpreted into English, nothing is."""
_CLICK = tone(1000, 0.4, amplitude=0.5)
_BEFORE_SECONDS = 6.0
_FIRST_SECONDS = 4.0
"""Until the speaker is heard for the first time."""


@dataclass(slots=True)
class Times:
    """All that was timed, in milliseconds; a hop is in everything."""

    hop: list[float] = field(default_factory=list[float])
    up: list[float] = field(default_factory=list[float])
    down: list[float] = field(default_factory=list[float])
    lost: int = 0

    def add(self, others: Times) -> None:
        """Take in those of another meeting."""
        self.hop += others.hop
        self.up += others.up
        self.down += others.down
        self.lost += others.lost


async def measure_delay(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Time clicks through the worker, both ways."""
    task = progress.add_task("added delay", total=len(SPEAKERS) * MEETINGS * CLICKS)
    figures: list[Figure] = []
    for speakers in SPEAKERS:
        times = Times()
        for number in range(MEETINGS):
            room = f"bench-delay-{speakers}-{number}"
            times.add(await _times_in(stage, room, speakers, lambda: progress.advance(task)))
        figures += _figures(times, speakers)

    return figures


async def _times_in(
    stage: LocalServices, room: str, speakers: int, on_click: Callable[[], object]
) -> Times:
    """Time one of several speakers in a meeting while the others speak.

    The others are there for a moment before: where eight come at once, the busy processors widen
    the jitter buffers of the one who is timed.
    """
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(meeting(stage, room, 0))
        others = talkers(stage, room, speakers - 1, "es", SENTENCE_SECONDS)
        await stack.enter_async_context(others)
        await asyncio.sleep(_BEFORE_SECONDS if speakers > 1 else 0.0)
        speaker = await stack.enter_async_context(join_speaker(stage, room, 0))
        session = await until_session(stage, _is_of_speaker)
        timed = (f"microphone_{speaker.identity}", "translation_es")
        here = await stack.enter_async_context(
            open_stopwatch(stage.livekit, room, lambda name: name in timed)
        )
        there = await stack.enter_async_context(open_stopwatch(stage.livekit, str(session["room"])))
        # with the first sound the session is resumed, which `bench wake` times
        await time_clicks(speaker, here, there, 1, lambda: None)
        return await time_clicks(speaker, here, there, CLICKS, on_click)


def _is_of_speaker(session: Mapping[str, Any]) -> bool:
    return bool(session["state"] == "running" and session["targets"] == ["es"])


def _figures(times: Times, speakers: int) -> Sequence[Figure]:
    hop = Figure(f"one hop, for comparison, {speakers} speaking", "ms", tuple(times.hop))
    up, down = less(times.up, hop.p50), less(times.down, hop.p50)
    both = tuple(map(sum, zip(up, down, strict=True)))
    return [
        hop,
        Figure("added delay, to Palabra", "ms", up, AIM_MS),
        Figure("added delay, to the room", "ms", down, AIM_MS),
        Figure(f"added delay, both ways, {speakers} speaking", "ms", both, BOTH_AIM_MS),
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
