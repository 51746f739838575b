"""Channels that come back through a microphone: how soon they are found, and what is taken for one.

Speech by espeak-ng, in several voices and languages, is played by a loudspeaker that was thought
up: its colour, a room's echo, a codec's noise, a jitter buffer that leaves out and repeats a bit,
a volume and a delay. Time is counted in frames, so it takes no longer than the processor does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.progress import Progress

from bench.figures import Figure, of_column
from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import FRAME_SAMPLES, PAUSE_PEAK, SAMPLE_RATE, Pcm
from palabra_agent.interpretation.leakage import LeakageGuard
from palabra_agent.local.services import LocalServices
from palabra_agent.local.speech import SyntheticVoice
from palabra_emulator.script import load_script

_Sound = npt.NDArray[np.float64]

_VOICES: Final = {
    "en": ("m3", "f2", "klatt2"),
    "es": ("m1", "f3", "m7"),
    "de": ("m4", "f4", "f5"),
    "fr": ("m5", "f1", "m8"),
}
"""espeak-ng's variants, by the language that they speak here."""

_LEVELS_DB: Final = (0, -10, -20)
_DELAYS_MS: Final = (50, 200, 400, 800)
_TRIALS: Final = 6
_TRIAL_SECONDS: Final = 8.0
_TALK_SECONDS: Final = 60.0
_TALKS: Final = 20
_HEADSET_TALKS: Final = 60
"""An hour of it: false alarms are rare."""
_CHANNELS: Final = (1, 3, 8)
_SPEAKERS: Final = 4
_LOUDNESS: Final = 2500.0
"""Of speech, by the mean of its squares: some -22 dBFS."""
_NOISE: Final = 30.0
_AIM_SECONDS: Final = 2.0
_AIM_PERCENT: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Heard:
    """The outcome of some minutes with a microphone."""

    found_at: int | None
    """The frame in which it was first held back."""
    passed: npt.NDArray[np.bool_]
    """By frame: whether sound was passed on in it."""


async def measure_leakage(_stage: LocalServices, progress: Progress) -> list[Figure]:
    """Measure in this process alone: no LiveKit, no network."""
    total = len(_LEVELS_DB) * (len(_DELAYS_MS) + 1) * _TRIALS + _HEADSET_TALKS + 2 * _TALKS
    task = progress.add_task("leakage", total=total)
    voices = await _speak()
    figures: list[Figure] = []
    for level in _LEVELS_DB:
        column = [
            figure
            for delay in _DELAYS_MS
            for figure in await _find(voices, level, delay, f"{delay} ms later")
        ]
        column += await _find(voices, level, 400, "400 ms later, in a hall", is_hall=True)
        figures += of_column(f"{level} dB", column)
        progress.advance(task, (len(_DELAYS_MS) + 1) * _TRIALS)

    figures += await _alarms(voices, "with a headset")
    progress.advance(task, _HEADSET_TALKS)
    for level in (-10, -20):
        figures += await _talk_over(voices, level)
        progress.advance(task, _TALKS)

    figures += await _costs(voices)
    progress.advance(task, len(_CHANNELS))
    return figures


async def _find(
    voices: Sequence[list[_Sound]], level: int, delay_ms: int, what: str, *, is_hall: bool = False
) -> list[Figure]:
    """Play a channel into a microphone into which no one speaks."""
    heard: list[_Heard] = []
    for trial in range(_TRIALS):
        chance = np.random.default_rng((level + 100, delay_ms, trial))
        channel = _talk(voices[trial % len(voices)], _TRIAL_SECONDS, chance)
        heard.append(await _listen([channel], _leaked(channel, level, delay_ms, chance, is_hall)))

    found = [(it.found_at, it.passed) for it in heard if it.found_at is not None]
    before = tuple(float(passed[:at].sum()) / 50 for at, passed in found)
    after = tuple(float(passed[at:].sum()) / 50 for at, passed in found)
    return [
        Figure(f"{what}: found", "%", (100 * len(found) / len(heard),)),
        Figure(f"{what}: interpreted before", "s", before, _AIM_SECONDS),
        Figure(f"{what}: interpreted after", "s", after),
    ]


async def _alarms(voices: Sequence[list[_Sound]], what: str) -> list[Figure]:
    """Speak while a channel says something else, which the microphone does not hear."""
    alarms, lost, own = 0, 0.0, 0.0
    for number in range(_HEADSET_TALKS):
        chance = np.random.default_rng((7, number))
        channel, speech = _pair(voices, number, chance)
        heard = await _listen([channel], speech + _noise(speech.size, chance))
        alarms += heard.found_at is not None
        sounding = _sounding(speech)
        own += sounding.sum()
        lost += (sounding & ~heard.passed).sum()

    hours = _HEADSET_TALKS * _TALK_SECONDS / 3600
    return [
        Figure(f"false alarms while both talk, {what}, an hour", "", (alarms / hours,), 0.5),
        Figure(f"the speaker's words held back, {what}", "%", (100 * lost / own,), 1.0),
    ]


async def _talk_over(voices: Sequence[list[_Sound]], level: int) -> list[Figure]:
    """Speak into a microphone that a channel leaks into."""
    shares: list[float] = []
    for number in range(_TALKS):
        chance = np.random.default_rng((8, level + 100, number))
        channel, speech = _pair(voices, number, chance)
        heard = await _listen([channel], speech + _leaked(channel, level, 300, chance))
        sounding = _sounding(speech)
        shares.append(100 * float((sounding & ~heard.passed).sum() / sounding.sum()))

    return [Figure(f"the speaker's words held back, over a leak of {level} dB", "%", tuple(shares))]


async def _costs(voices: Sequence[list[_Sound]]) -> list[Figure]:
    """Have all talk all the time: nothing costs more."""
    chance = np.random.default_rng(9)
    talks = [_pcm(_talk(voice, _TALK_SECONDS, chance)) for voice in voices]
    figures: list[Figure] = []
    for count in _CHANNELS:
        alone = await _processor_seconds(talks[:count], talks[0], 0)
        spoken = await _processor_seconds(talks[:count], talks[-1], _SPEAKERS)
        share = 100 * (spoken - alone) / _SPEAKERS / _TALK_SECONDS
        what = f"processor, each speaker beside {count} channels that sound"
        figures.append(Figure(what, "% of a core", (share,), _AIM_PERCENT))
        share = 100 * alone / count / _TALK_SECONDS
        figures.append(Figure(f"processor, each of {count} channels", "% of a core", (share,)))

    return figures


async def _processor_seconds(channels: Sequence[Pcm], speech: Pcm, speakers: int) -> float:
    """The processor time of a guard for so many speakers who say the same."""
    guard, reader = LeakageGuard(), FrameReader()
    frames = list(reader.cut(speech))

    began = time.process_time()
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(guard.run(lambda: None))
        for at, frame in enumerate(frames):
            place, now = slice(at * FRAME_SAMPLES, (at + 1) * FRAME_SAMPLES), 1000 + at / 50
            for number, samples in enumerate(channels):
                guard.play(f"channel {number}", samples[place], now)
            for number in range(speakers):
                guard.hear(f"speaker {number}", frame, now)
            for _ in range(speakers + 1):
                await asyncio.sleep(0)
        watching.cancel()

    return time.process_time() - began


def _pair(
    voices: Sequence[list[_Sound]], number: int, chance: np.random.Generator
) -> tuple[_Sound, _Sound]:
    """A channel and a speaker of other words, some in the same language."""
    half = len(voices[0]) // 2
    channel, speaker = voices[number % len(voices)], voices[(number * 5 + 1) % len(voices)]
    return (
        _talk(channel[:half], _TALK_SECONDS, chance),
        _talk(speaker[half:], _TALK_SECONDS, chance),
    )


async def _listen(channels: Sequence[_Sound], microphone: _Sound) -> _Heard:
    """Let the guard of a room hear it all, frame by frame."""
    guard, reader = LeakageGuard(), FrameReader()
    played = [_pcm(it) for it in channels]
    heard = _pcm(microphone)
    count = heard.size // FRAME_SAMPLES
    passed = np.zeros(count, dtype=np.bool_)
    found_at: int | None = None
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(guard.run(lambda: None))
        for at in range(count):
            place, now = slice(at * FRAME_SAMPLES, (at + 1) * FRAME_SAMPLES), 1000 + at / 50
            for number, samples in enumerate(played):
                guard.play(f"channel {number}", samples[place], now)
            frames = guard.hear("speaker", reader.read(heard[place]), now)
            sounding = [it for it in frames if not it.is_pause]
            # what was held comes late, and counts where it was said
            passed[max(at - len(frames) + 1, 0) : at + 1] |= bool(sounding)
            if found_at is None and guard.objection_to("speaker"):
                found_at = at
            await asyncio.sleep(0)
        watching.cancel()

    return _Heard(found_at, passed)


async def _speak() -> list[list[_Sound]]:
    """The script's sentences, in every voice."""
    sentences = load_script().sentences
    voices: list[list[_Sound]] = []
    for place in range(3):
        for language, variants in _VOICES.items():
            voice = SyntheticVoice(variants[place], pitch_hz=100.0 + 35 * place)
            voices.append(
                [_loud(await voice.speak(it.text(language), language)) for it in sentences]
            )

    return voices


def _loud(pcm: Pcm) -> _Sound:
    sound = pcm.astype(np.float64)
    return np.asarray(sound * (_LOUDNESS / np.sqrt(np.mean(sound**2))))


def _talk(sentences: Sequence[_Sound], seconds: float, chance: np.random.Generator) -> _Sound:
    """Sentences one after the other, with pauses."""
    size = round(seconds * SAMPLE_RATE)
    sound = np.zeros(size)
    place = round(SAMPLE_RATE * chance.uniform(0.2, 0.8))
    while place < size:
        sentence = sentences[int(chance.integers(len(sentences)))][: size - place]
        sound[place : place + sentence.size] = sentence
        place += sentence.size + round(SAMPLE_RATE * chance.uniform(0.2, 1.2))

    return sound


def _leaked(
    channel: _Sound,
    level_db: float,
    delay_ms: float,
    chance: np.random.Generator,
    is_hall: bool = False,
) -> _Sound:
    """A channel as a microphone hears it from a loudspeaker."""
    echo_seconds, direct_db = (0.8, -10.0) if is_hall else (0.4, -3.0)
    sound = _echoing(_coloured(_jittered(channel, chance)), echo_seconds, direct_db, chance)
    power = np.sqrt(np.mean(sound**2) / np.mean(channel**2))
    sound *= 10 ** (level_db / 20) / power
    delay = round((delay_ms + chance.uniform(-10, 10)) * SAMPLE_RATE / 1000)
    return np.concatenate((np.zeros(delay), sound))[: channel.size] + _noise(channel.size, chance)


def _jittered(sound: _Sound, chance: np.random.Generator) -> _Sound:
    """A codec's noise, 25 dB below, and some 10 ms left out or repeated every two seconds."""
    coded = sound * (1 + 10 ** (-25 / 20) * chance.standard_normal(sound.size))
    pieces: list[_Sound] = []
    for start in range(0, coded.size, 2 * SAMPLE_RATE):
        piece = coded[start : start + 2 * SAMPLE_RATE]
        shift = int(chance.integers(-480, 481))
        pieces.append(piece[: piece.size - shift] if shift > 0 else piece)
        pieces.append(piece[shift:] if shift < 0 else piece[:0])

    return np.resize(np.concatenate(pieces), sound.size)


def _coloured(sound: _Sound) -> _Sound:
    """What a small loudspeaker leaves: little below 250 Hz and above 6 kHz."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(sound.size, 1 / SAMPLE_RATE)
    low = (hz / 250) ** 2
    return np.asarray(np.fft.irfft(spectrum * low / (1 + low) / (1 + (hz / 6000) ** 2), sound.size))


def _echoing(
    sound: _Sound, seconds: float, direct_db: float, chance: np.random.Generator
) -> _Sound:
    """A room that goes on sounding for so long, with so much of it direct."""
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    echo = chance.standard_normal(at.size) * np.exp(-6.9 * at / seconds)
    echo /= np.sqrt((echo**2).sum())
    echo[0] += 10 ** (direct_db / 20)
    size = sound.size + echo.size
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(echo, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: sound.size])


def _noise(size: int, chance: np.random.Generator) -> _Sound:
    return chance.standard_normal(size) * _NOISE


def _sounding(speech: _Sound) -> npt.NDArray[np.bool_]:
    frames = speech[: speech.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return np.asarray(np.abs(frames).max(axis=1) >= PAUSE_PEAK)


def _pcm(sound: _Sound) -> Pcm:
    return np.clip(sound, -32767, 32767).astype(np.int16)
