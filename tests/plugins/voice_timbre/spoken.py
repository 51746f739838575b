"""Voices of a known pitch, and what microphones, rooms and telephones make of them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from palabra_agent.audio.espeak import find_espeak
from palabra_agent.audio.files import decode_sound
from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm

Sound: TypeAlias = NDArray[np.float64]

_VOWELS: Final = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480))
"""Formants in hertz: a, i, u, e."""

_TEXTS: Final = {
    "en-us": "Good morning everybody. Today we will talk about the budget.",
    "de": "Guten Morgen zusammen. Heute reden wir über das Budget für das nächste Jahr.",
    "es": "Buenos días a todos. Hoy hablaremos del presupuesto del año que viene.",
    "fr": "Bonjour à tous. Aujourd'hui nous parlons du budget de l'année prochaine.",
    "it": "Buongiorno a tutti. Oggi parliamo del bilancio del prossimo anno.",
    "pl": "Dzień dobry wszystkim. Dzisiaj mówimy o budżecie na przyszły rok.",
    "cmn": "大家早上好。今天我们要谈谈明年的预算，以及这项工作需要多长时间。",
    "ar": "صباح الخير للجميع. سنتحدث اليوم عن ميزانية العام المقبل.",
}


def synthetic_voice(pitch_hz: float, seconds: float = 2.0) -> Pcm:
    """Vowels on a glottal source of a median pitch, as it rises and falls within a sentence."""
    noise = np.random.default_rng(round(pitch_hz))
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    jitter = np.interp(at, np.linspace(0, seconds, 200), noise.normal(0, 0.01, 200))
    phase = np.cumsum(pitch_hz * (1 + 0.15 * np.sin(2 * np.pi * at) + jitter)) / SAMPLE_RATE
    buzz = 1 - 2 * (phase % 1) + noise.normal(0, 0.02, at.size)
    syllable = (at * 4).astype(int)
    spoken = np.zeros_like(at)
    for number, formants in enumerate(_VOWELS):
        spoken += np.where(syllable % len(_VOWELS) == number, _shaped(buzz, formants), 0)

    hiss = np.diff(noise.normal(0, 0.05, at.size), prepend=0)
    is_consonant = (at * 4) % 1 < 0.2
    return _pcm(np.where(is_consonant, hiss, spoken / spoken.std()))


def whisper(seconds: float = 2.0) -> Pcm:
    """Breath through the same vowels: no voice, and so no pitch."""
    breath = np.random.default_rng(3).normal(size=round(seconds * SAMPLE_RATE))
    syllable = np.arange(breath.size) * 4 // SAMPLE_RATE
    spoken = np.zeros_like(breath)
    for number, formants in enumerate(_VOWELS):
        spoken += np.where(syllable % len(_VOWELS) == number, _shaped(breath, formants), 0)

    return _pcm(spoken)


@dataclass(frozen=True)
class EspeakVoice:
    """A voice of espeak-ng's, and the pitch that Praat 6.4 hears."""

    voice: str
    pitch_setting: int
    pitch_hz: float


async def espeak_voice(spoken: EspeakVoice) -> Pcm | None:
    """Up to two seconds of a voice without the pauses; None where the program is not there."""
    program = find_espeak()
    if program is None:
        return None

    text = _TEXTS[spoken.voice.partition("+")[0]]
    speaking = await asyncio.create_subprocess_exec(
        program,
        *("-v", spoken.voice, "-p", str(spoken.pitch_setting), "--stdin", "--stdout"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    wav, _ = await speaking.communicate(text.encode())
    return _without_pauses(decode_sound(io.BytesIO(wav)))[: 2 * SAMPLE_RATE]


def noisy(sound: Pcm) -> Pcm:
    """A microphone in a room with a fan: pink noise, 12 dB below the voice."""
    noise = np.random.default_rng(1).normal(size=sound.size)
    pink = _filtered(noise, lambda hz: 1 / np.sqrt(np.maximum(hz, 50)))
    voice = sound.astype(np.float64)
    return _pcm(voice + pink / pink.std() * voice.std() * 10 ** (-12 / 20))


def over_telephone(sound: Pcm) -> Pcm:
    """What is left between 300 and 3400 Hz: of most voices not the fundamental."""
    return _pcm(
        _filtered(
            sound.astype(np.float64),
            lambda hz: 1 / np.sqrt((1 + (300 / np.maximum(hz, 1)) ** 8) * (1 + (hz / 3400) ** 12)),
        )
    )


def in_a_hall(sound: Pcm) -> Pcm:
    """A microphone far away: as much from the walls as from the mouth, for 0.4 s."""
    size = round(0.4 * SAMPLE_RATE)
    walls = np.random.default_rng(2).normal(size=size) * 10 ** (-3 * np.arange(size) / size)
    answer = walls * 0.7 / np.sqrt((walls**2).sum())
    answer[0] += 1
    length = 1 << (sound.size + size).bit_length()
    heard = np.fft.irfft(np.fft.rfft(sound, length) * np.fft.rfft(answer, length), length)
    return _pcm(heard[: sound.size])


def nearby(sound: Pcm) -> Pcm:
    """A good microphone, near."""
    return sound


def by_a_bad_line(sound: Pcm) -> Pcm:
    """A telephone in a room with a fan."""
    return noisy(over_telephone(sound))


RECORDINGS: Final[Mapping[str, Callable[[Pcm], Pcm]]] = {
    "near": nearby,
    "noise": noisy,
    "telephone": over_telephone,
    "hall": in_a_hall,
    "bad line": by_a_bad_line,
}


def _without_pauses(sound: Pcm) -> Pcm:
    """What is left for plugins to hear."""
    whole = sound[: sound.size // FRAME_SAMPLES * FRAME_SAMPLES]
    return np.concatenate([it.samples for it in FrameReader().cut(whole) if not it.is_pause])


def _shaped(buzz: Sound, formants: tuple[float, ...]) -> Sound:
    def envelope(hz: Sound) -> Sound:
        peaks = (1 / (1 + ((hz - formant) / 80) ** 2) for formant in formants)
        return sum(peaks, np.full_like(hz, 0.02)) * (hz > 20)

    return _filtered(buzz, envelope)


def _filtered(sound: Sound, gain: Callable[[Sound], Sound]) -> Sound:
    """Change how loud each frequency is; the length is padded to one that is quick."""
    length = 1 << sound.size.bit_length()
    spectrum = np.fft.rfft(sound, length)
    hz = np.linspace(0.0, SAMPLE_RATE / 2, spectrum.size)
    return np.fft.irfft(spectrum * gain(hz), length)[: sound.size]


def _pcm(sound: Sound) -> Pcm:
    """At -20 dBFS or so, as people come."""
    pcm: Pcm = np.clip(sound / sound.std() * 3000, -32768, 32767).astype(np.int16)
    return pcm
