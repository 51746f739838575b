"""The first word after an idle pause: how late it comes to Palabra, and whether all of it comes.

A word ends the pause, a second one follows in running speech, then there is silence until the task
is paused again. Both are timed in the meeting and at Palabra, as `transports.py` says, and looked
for, piece by piece, in what the emulator heard. The second word shows what is usual, and whether
the delay of the first stays.

A word is a tone that wanders: what its frequency does in any ten milliseconds is found nowhere else
in it. So each of its pieces can be looked for by itself in what was heard, although codecs and
jitter buffers shift and bend the whole.
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
import numpy.typing as npt
from rich.progress import Progress

from bench.figures import Figure, of_column
from bench.meetings import ROOM_CONFIG, heard_by, meeting, running_sessions, until_session
from bench.onsets import Stopwatch, open_stopwatch
from bench.own_palabra import OwnPalabra, open_own_palabra
from bench.transports import WEBRTC, WEBSOCKET, Way
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.local.people import SimulatedPerson
from palabra_agent.local.services import LocalServices

WORD_SECONDS: Final = 0.8
HEARD_RATE: Final = 16_000
_LOWEST_HZ: Final = 400.0
_HIGHEST_HZ: Final = 3_000.0
_KNOT_SECONDS: Final = 0.05
_FADE_SECONDS: Final = 0.005
_AMPLITUDE: Final = 0.5 * 32767

_PIECE: Final = HEARD_RATE // 100
_REACH: Final = HEARD_RATE // 40
"""Samples by which a piece may be shifted against its neighbour."""
_ALIKE: Final = 0.6

_Signal = npt.NDArray[np.float64]


def word(number: int, rate: int) -> Pcm:
    """Make the word of a number; each is another one."""
    knots = round(WORD_SECONDS / _KNOT_SECONDS) + 1
    wanted = np.random.default_rng(number).uniform(_LOWEST_HZ, _HIGHEST_HZ, knots)
    at = np.arange(round(WORD_SECONDS * rate)) / rate
    hz = np.interp(at, np.arange(knots) * _KNOT_SECONDS, wanted)
    fade = np.clip(np.minimum(at, WORD_SECONDS - at) / _FADE_SECONDS, 0.0, 1.0)
    return (_AMPLITUDE * fade * np.sin(2 * np.pi * np.cumsum(hz) / rate)).astype(np.int16)


def lost_samples(number: int, heard: Pcm) -> int:
    """Count the samples of a word that are missing from what was heard, by pieces of 10 ms."""
    said = word(number, HEARD_RATE).astype(np.float64)
    margin = np.zeros(said.size + _REACH)
    sound = np.concatenate((margin, heard.astype(np.float64), margin))
    pieces = said.reshape(-1, _PIECE)
    lag = _best_lag(said, sound)
    middle = max(
        range(len(pieces)), key=lambda it: _alike(pieces[it], sound, lag + it * _PIECE, 0)[0]
    )
    forwards = _found(pieces, sound, lag, range(middle, len(pieces)))
    backwards = _found(pieces, sound, lag, range(middle - 1, -1, -1))
    return said.size - _PIECE * (forwards + backwards)


def _best_lag(said: _Signal, sound: _Signal) -> int:
    size = said.size + sound.size
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(said, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: sound.size - said.size]))


def _found(pieces: _Signal, sound: _Signal, lag: int, order: range) -> int:
    """Count the pieces that are there, each near to where the one before was."""
    found = 0
    for place in order:
        likeness, shift = _alike(pieces[place], sound, lag + place * _PIECE, _REACH)
        if likeness >= _ALIKE:
            found += 1
            lag += shift

    return found


def _alike(piece: _Signal, sound: _Signal, at: int, reach: int) -> tuple[float, int]:
    """Compare a piece with its best match around a place; returns the likeness and the shift."""
    first = max(at - reach, 0)
    around = sound[first : at + reach + piece.size]
    if around.size < piece.size:
        return 0.0, 0

    power = np.convolve(around**2, np.ones(piece.size), "valid")
    scale = np.sqrt(np.maximum(power, 1.0) * max(float(piece @ piece), 1.0))
    likeness = np.correlate(around, piece, "valid") / scale
    best = int(np.argmax(likeness))
    return float(likeness[best]), first + best - at


PAUSES: Final = 10
DIALECTS: Final = ("legacy+ack", "legacy")
_IDLE_SECONDS: Final = 0.5
_BETWEEN_SECONDS: Final = 1.0
_ARRIVAL_SECONDS: Final = 7.0
_OPTIONS: Final = ("latency_ms=0", "keep_heard_s=20", "duplicate_validated=0")


@dataclass(slots=True)
class _Words:
    """The fate of words of one kind."""

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
