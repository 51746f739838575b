"""The first word after an idle pause: how late it comes to Palabra, and whether all of it comes.

A word ends the pause, a second one follows in running speech, then nobody speaks until the task is
paused again. Both are timed in the meeting and at Palabra, as `transports.py` says, and looked for,
piece by piece, in what the emulator heard. The second word shows what is usual, and whether the
delay of the first stays.
"""

from __future__ import annotations

import asyncio
import io
import random
import time
import wave
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from rich.progress import Progress

from bench.figures import Figure, of_column
from bench.journal import heard_by, until_session
from bench.meetings import ROOM_CONFIG, meeting, running_sessions
from bench.onsets import Stopwatch, open_stopwatch
from bench.own_palabra import OwnPalabra, open_own_palabra
from bench.transports import WEBRTC, WEBSOCKET, Way
from bench.words import lost_samples, word
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices

PAUSES: Final = 10
DIALECTS: Final = ("legacy+ack", "legacy")
_IDLE_SECONDS: Final = 0.5
_BETWEEN_SECONDS: Final = 1.0
_ARRIVAL_SECONDS: Final = 7.0
_OPTIONS: Final = ("latency_ms=0", "keep_heard_s=20", "duplicate_validated=0")


@dataclass(slots=True)
class _Words:
    """What became of words of one kind."""

    delays: list[float] = field(default_factory=list[float])
    lost: list[float] = field(default_factory=list[float])


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A speaker, who hears them where, and the session that does."""

    stage: LocalServices
    speaker: SimulatedPerson
    session: str
    here: Stopwatch
    there: Stopwatch
    first: _Words = field(default_factory=_Words)
    running: _Words = field(default_factory=_Words)


async def measure_wake(stage: LocalServices, progress: Progress) -> list[Figure]:
    """Speak after pauses, on both transports, and in both dialects at a time."""
    shown = progress.add_task("wake", total=len(DIALECTS) * 2 * PAUSES)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_measure_dialect(stage, dialect, lambda: progress.advance(shown)))
            for dialect in DIALECTS
        ]

    return [figure for task in tasks for figure in task.result()]


async def _measure_dialect(
    stage: LocalServices, dialect: str, advance: Callable[[], None]
) -> list[Figure]:
    figures: list[Figure] = []
    async with open_own_palabra(stage, *_OPTIONS, f"dialect={dialect}") as palabra:
        for way in (WEBRTC, WEBSOCKET):
            measured = await _measure(palabra, way, f"bench-wake-{dialect}-{way.name[:6]}", advance)
            figures += of_column(f"{way.name} {dialect}", measured)

    return figures


async def _measure(
    palabra: OwnPalabra, way: Way, room: str, advance: Callable[[], None]
) -> list[Figure]:
    async with _open_conversation(palabra, way, room) as talk:
        with suppress(TimeoutError):  # the number of samples tells
            for number in range(PAUSES):
                await _speak_after_a_pause(talk, 2 * number)
                advance()

    return [
        Figure("first word, to Palabra", "ms", tuple(talk.first.delays)),
        Figure("word in running speech, to Palabra", "ms", tuple(talk.running.delays)),
        Figure("first word, lost", "samples of 16 kHz", tuple(talk.first.lost), 1),
        Figure("word in running speech, lost", "samples of 16 kHz", tuple(talk.running.lost)),
    ]


async def _speak_after_a_pause(talk: _Conversation, number: int) -> None:
    await _until_paused(talk)
    await asyncio.sleep(random.uniform(0.1, 0.5))  # every phase of every clock
    await _say(talk, talk.first, number)
    await asyncio.sleep(_BETWEEN_SECONDS)
    await _say(talk, talk.running, number + 1)
    await _until_paused(talk)
    heard = _samples(await heard_by(talk.stage, talk.session))
    talk.first.lost.append(lost_samples(number, heard))
    talk.running.lost.append(lost_samples(number + 1, heard))


async def _say(talk: _Conversation, words: _Words, number: int) -> None:
    since = time.monotonic()
    await talk.speaker.say(word(number, SAMPLE_RATE))
    mouth = await talk.here.key_of(f"microphone_{talk.speaker.identity}", _ARRIVAL_SECONDS)
    ear = await talk.there.key_of("microphone", _ARRIVAL_SECONDS)
    spoken = await talk.here.next_onset(mouth, since, 1)
    heard = await talk.there.next_onset(ear, since, _ARRIVAL_SECONDS)
    if spoken is not None and heard is not None:
        words.delays.append((heard - spoken) * 1000)


async def _until_paused(talk: _Conversation) -> None:
    await until_session(talk.stage, lambda it: it["id"] == talk.session and it["state"] == "paused")


def _samples(wav: bytes) -> Pcm:
    with wave.open(io.BytesIO(wav)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


@asynccontextmanager
async def _open_conversation(
    palabra: OwnPalabra, way: Way, room: str
) -> AsyncGenerator[_Conversation]:
    stage = palabra.stage
    limits = {"linger_seconds": 0.5, "idle_pause_seconds": _IDLE_SECONDS}
    config = {**ROOM_CONFIG, "palabra": dict(way.palabra), "limits": limits}
    async with meeting(stage, room, 1, config, palabra.agent_name) as (speaker,):
        session = (await running_sessions(stage))[0]
        async with open_stopwatch(stage.livekit, room) as here:
            if way.sound is not None:
                there = palabra.relay.stopwatch = Stopwatch()
                yield _Conversation(stage, speaker, session["id"], here, there)
                return

            async with open_stopwatch(palabra.livekit, str(session["room"])) as there:
                yield _Conversation(stage, speaker, session["id"], here, there)
