"""A stall of the event loop, and how much of it stays in the delay: both ways in one process.

A voice with some noise of a room under it goes through a session's microphone buffer and, from
there, through a mixer's input into a channel. The event loop is then blocked in the middle of
speech, which no peer notices, as the native threads go on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
from rich.progress import Progress

from bench.figures import Figure
from bench.onsets import Stopwatch
from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.rtc import AudioOutput, RemoteAudio
from palabra_agent.audio.tones import mix, tone
from palabra_agent.interpretation.channels import Channel
from palabra_agent.interpretation.ports import ChannelKey
from palabra_agent.languages import LanguageCode
from palabra_agent.local.services import LocalServices
from palabra_agent.palabra.session.microphone import MicrophoneBuffer

CLICKS = 10
STALLS = 5
_STALL_SECONDS = 0.3
_NOISE_AMPLITUDE = 100  # -50 dBFS, an ordinary room
_CLICK = tone(1000, 0.3, amplitude=0.5)
_SPEECH = tone(700, 1.5, amplitude=0.5)


class _Heard:
    """A track of ours that is heard on the other side, without a server."""

    sid = "local"

    def __init__(self, name: str) -> None:
        self._output = AudioOutput(name)
        self.audio = RemoteAudio(self._output.track)
        self.track = self._output.track
        self.write = self._output.write
        self.aclose = self._output.aclose

    @property
    def waiting_ms(self) -> float:
        return self._output.waiting_ms


@dataclass(slots=True)
class _Voice:
    """A speaker in a room that is never quite silent."""

    out: _Heard
    _next: float = 0.0

    async def say(self, words: Pcm) -> float:
        """Speak in real time; return when it began."""
        began = max(time.monotonic(), self._next)
        for place in range(0, words.size, FRAME_SAMPLES):
            await asyncio.sleep(max(began + place / SAMPLE_RATE - time.monotonic(), 0))
            await self.out.write(words[place : place + FRAME_SAMPLES])
        self._next = began + words.size / SAMPLE_RATE
        return began


async def measure_stall(_stage: LocalServices, progress: Progress) -> list[Figure]:
    """Time clicks before and after the event loop was blocked."""
    task = progress.add_task("stalls", total=CLICKS + STALLS)
    before: list[float] = []
    after: list[float] = []
    async with _both_ways() as (voice, stopwatch):
        await voice.say(_noise(1.0))
        for _ in range(CLICKS):
            before.append(await _click(voice, stopwatch))
            progress.advance(task)
        for _ in range(STALLS):
            await _stall(voice)
            after.append(await _click(voice, stopwatch))
            progress.advance(task)

    return [
        Figure("both ways in one process", "ms", tuple(before)),
        Figure("the same, one pause after a stall of 300 ms", "ms", tuple(after)),
    ]


@asynccontextmanager
async def _both_ways() -> AsyncGenerator[tuple[_Voice, Stopwatch]]:
    mouth, palabra, room = _Heard("mouth"), _Heard("palabra"), _Heard("room")
    channel = Channel(ChannelKey(LanguageCode("es")), room)
    stopwatch, microphone = Stopwatch(), MicrophoneBuffer(lambda: palabra.waiting_ms)
    microphone.set_listening(is_listening=True)
    with channel.mixer.open_input() as backlog:
        async with (
            mouth.audio.open_frames() as spoken,
            palabra.audio.open_frames() as answered,
            asyncio.TaskGroup() as group,
        ):
            tasks = [
                group.create_task(_read(spoken, microphone), name="microphone"),
                group.create_task(_send(microphone, palabra), name="uplink"),
                group.create_task(backlog.fill(answered), name="downlink"),
                group.create_task(channel.play(), name="channel"),
                group.create_task(stopwatch.follow("room", room.track), name="listener"),
            ]
            yield _Voice(mouth), stopwatch
            for task in tasks:
                task.cancel()

    for end in (mouth, palabra, room):
        await end.aclose()


async def _read(spoken: AsyncIterator[Frame], microphone: MicrophoneBuffer) -> None:
    async for frame in spoken:
        microphone.write(frame)


async def _send(microphone: MicrophoneBuffer, out: _Heard) -> None:
    while (frame := await microphone.next_frame()) is not None:
        await out.write(frame.samples)


async def _click(voice: _Voice, stopwatch: Stopwatch) -> float:
    began = await voice.say(mix(_CLICK, _noise(0.3)))
    heard = await stopwatch.next_onset("room", began, 2)
    await voice.say(_noise(1.0))
    return float("nan") if heard is None else (heard - began) * 1000


async def _stall(voice: _Voice) -> None:
    """Block the event loop in the middle of speech, then let a pause pass."""
    asyncio.get_running_loop().call_later(0.7, time.sleep, _STALL_SECONDS)
    await voice.say(mix(_SPEECH, _noise(1.5)))
    await voice.say(_noise(1.5))


def _noise(seconds: float) -> Pcm:
    size = round(seconds * SAMPLE_RATE)
    return np.random.default_rng(0).integers(-_NOISE_AMPLITUDE, _NOISE_AMPLITUDE, size, np.int16)
