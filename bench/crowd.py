"""Fifty listeners of one speaker who choose at random, once a second for a minute.

Whether each receives in the end what they chose last and nothing else, how many choices there were,
and how late the event loop of the interpreter was meanwhile. The interpreter is in a process of its
own, so that its loop alone is measured, and all else gives way to it. The listeners are one program
that uses LiveKit's SDK for Go (`crowd_listeners`) and receive no microphones: as they keep sound
without decoding it, so many fit on a small machine. `python -m bench.crowd` builds it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError
from rich.progress import Progress

from bench.choosing import CONFIG, LANGUAGES, talk_in
from bench.figures import Figure, percentile
from bench.meetings import until_running
from bench.programs import ask, run_program
from bench.served_room import begin_to_observe, observations, serving
from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone_level_db
from palabra_agent.local.livekit_build import cache_folder
from palabra_agent.local.people import Server, join, mint_token
from palabra_agent.local.services import LocalServices
from palabra_agent.meeting.people import LISTEN_ATTRIBUTE
from palabra_emulator.interpreting.markers import language_marker_hz

PEOPLE: Final = 50
SECONDS: Final = 60
_AIM_MS: Final = 20.0

_CHOICES: Final = ("es", "de", "fr", "original")
_ROOM: Final = "bench-crowd"
_SETTLE_SECONDS: Final = 4.0
_RECORDED_SECONDS: Final = 4.0
_WAIT_SECONDS: Final = 30.0
_LOWER_PRIORITY: Final = 5
"""Of the servers."""
_LOWEST_PRIORITY: Final = 15
"""Of the listeners."""
_JOIN_SECONDS: Final = 120.0
_LEAST_SPEECH: Final = SAMPLE_RATE // 2
_FAINT_DB: Final = 12.0
_NOISE_DB: Final = -50.0
_SOURCE: Final = Path(__file__).parent / "crowd_listeners"


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of all listeners together."""

    asked: int
    taken: int
    """LiveKit told that it took them."""


@dataclass(frozen=True, slots=True)
class Reception:
    """One listener, seen for a moment."""

    chosen: str
    """The language that they chose last, or `original`."""
    heard: frozenset[str]
    """The languages that they receive."""

    @property
    def is_right(self) -> bool:
        """True where they receive what they chose, and nothing else."""
        return self.heard == frozenset(() if self.chosen == "original" else (self.chosen,))


class Crowd:
    """Listeners in a process of their own."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def join(self, server: Server, room: str, identities: Sequence[str]) -> None:
        """Have them come into a room, one after the other."""
        attributes = {LISTEN_ATTRIBUTE: "original"}
        tokens = [mint_token(server, room, it, attributes=attributes) for it in identities]
        await self._ask(_JOIN_SECONDS, join={"url": server.url, "tokens": tokens})

    async def choose(self, seconds: float) -> Choices:
        """Let each choose once a second for some time."""
        wanted = {"seconds": seconds, "languages": _CHOICES}
        told = await self._ask(seconds + _WAIT_SECONDS, choose=wanted)
        return Choices(**json.loads(told))

    async def receive(self) -> list[Reception]:
        """Find out what each receives, by its sound: LiveKit may send it on another track."""
        told = await self._ask(_RECORDED_SECONDS + _WAIT_SECONDS, record=_RECORDED_SECONDS)
        return await asyncio.to_thread(lambda: [_reception(**it) for it in json.loads(told)])

    async def _ask(self, seconds: float, **request: object) -> bytes:
        answer = await ask(self._process, json.dumps(request), seconds)
        if not answer:
            raise RuntimeError("the program of the listeners has ended")

        return answer


async def measure_crowd(
    stage: LocalServices, progress: Progress, people: int = PEOPLE, seconds: float = SECONDS
) -> list[Figure]:
    """Let many choose for some time, then look at what each of them receives."""
    if not program().exists():
        sys.exit(
            "the listeners of `crowd` are not built; `make bench` does it, or python -m bench.crowd"
        )

    identities = [str(number) for number in range(people)]
    steps = progress.add_task("crowd comes, chooses, listens", total=3)
    async with (
        talk_in(stage, _ROOM, speakers=1, is_private=True),
        run_program("nice", "-n", str(_LOWEST_PRIORITY), str(program())) as listeners,
        _interpreter(stage) as process,
    ):
        _let_go_first(stage)
        crowd = Crowd(listeners)
        await crowd.join(stage.livekit, _ROOM, identities)
        progress.advance(steps)
        begin_to_observe(process)
        choices = await crowd.choose(seconds)
        late = (await observations(process)).late
        progress.advance(steps)
        await asyncio.sleep(_SETTLE_SECONDS)
        seen = await _receptions(crowd)
        progress.advance(steps)

    right = sum(it.is_right for it in seen)
    silent = sum(not it.heard for it in seen if it.chosen != "original")
    return [
        Figure("choices a second", "", (choices.taken / seconds,)),
        Figure("choices that LiveKit did not take", "", (choices.asked - choices.taken,)),
        Figure("listeners", "", (people,)),
        Figure("listeners who hear what they chose last, and nothing else", "", (right,)),
        Figure("listeners who hear nothing of it", "", (silent,), 0.5),
        Figure("listeners who hear something else", "", (people - right - silent,), 0.5),
        Figure(f"event loop, {people} choosers, p99", "ms", (percentile(late, 0.99),), _AIM_MS),
    ]


async def _receptions(crowd: Crowd) -> list[Reception]:
    """Find out what each receives, again and again until it is right, for some time."""
    end = time.monotonic() + _WAIT_SECONDS
    while True:
        seen = await crowd.receive()
        if all(it.is_right for it in seen) or time.monotonic() > end:
            return seen


def _let_go_first(stage: LocalServices) -> None:
    """Let all else give way to the interpreter, which has a machine of its own otherwise."""
    for child in (stage.livekit.child, stage.emulator, stage.worker):
        # a group of its own: threads that run already are in it, too
        os.setpriority(os.PRIO_PGRP, child.process.pid, _LOWER_PRIORITY)
    os.setpriority(os.PRIO_PROCESS, 0, _LOWER_PRIORITY)


@asynccontextmanager
async def _interpreter(stage: LocalServices) -> AsyncGenerator[Process]:
    """Have the interpreter at work, in a process that tells how late its event loop was."""
    attributes = {LISTEN_ATTRIBUTE: "es"}
    async with (
        join(stage.livekit, _ROOM, "first", attributes=attributes, microphone=False) as first,
        serving(stage, _ROOM, CONFIG) as process,
    ):
        await first.wait_for_interpreter(_WAIT_SECONDS)
        await until_running(stage, 1)
        yield process


def _reception(chosen: str, streams: Sequence[Sequence[str]]) -> Reception:
    speech = [_speech_in([base64.b64decode(it) for it in packets]) for packets in streams]
    return Reception(chosen, frozenset[str]().union(*map(_languages_in, speech)))


def _speech_in(packets: Sequence[bytes]) -> Pcm:
    """Decode Opus packets, without the pauses."""
    codec = av.CodecContext.create("opus", "r")
    assert isinstance(codec, AudioCodecContext)
    codec.sample_rate, codec.layout = SAMPLE_RATE, "mono"
    sound = [np.zeros(0, np.float32)]
    for packet in packets:
        try:
            sound += [frame.to_ndarray()[0] for frame in codec.decode(av.Packet(packet))]
        except FFmpegError:
            continue  # the tail of one stream, the head of another
    frames = _frames_of((np.concatenate(sound) * 32767).astype(np.int16))
    speech: Pcm = frames[np.abs(frames).max(axis=1, initial=0) > PAUSE_PEAK].ravel()
    return speech


def _frames_of(sound: Pcm) -> Pcm:
    whole = sound.size // FRAME_SAMPLES
    return sound[: whole * FRAME_SAMPLES].reshape(whole, FRAME_SAMPLES)


def _languages_in(speech: Pcm) -> set[str]:
    """The languages whose marker is about as loud as the loudest."""
    if speech.size < _LEAST_SPEECH:
        return set()

    levels = {it: tone_level_db(speech, language_marker_hz(it)) for it in LANGUAGES}
    loudest = max(levels.values())
    return {it for it, db in levels.items() if db > max(loudest - _FAINT_DB, _NOISE_DB)}


def program() -> Path:
    """Where the program of the listeners is kept, whether it is there or not."""
    return cache_folder() / _SOURCE.name


def main() -> None:
    """Build it. Go needs a minute for that once, and then no time."""
    build = subprocess.run(["go", "build", "-o", str(program()), "."], cwd=_SOURCE, check=False)
    if build.returncode != 0:
        sys.exit("the listeners of `crowd` could not be built: it needs Go, as livekit-server does")


if __name__ == "__main__":
    main()
