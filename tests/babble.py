"""Sound like speech for tests: syllables without words, and a loudspeaker that plays them back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm

_Sound = npt.NDArray[np.float64]


def babble(seed: int, seconds: float) -> Pcm:
    """A voice that says nothing, without a pause; another one for each seed."""
    chance = np.random.default_rng(seed)
    pitch = chance.uniform(90, 220)
    size = round(seconds * SAMPLE_RATE)
    parts: list[_Sound] = []
    while sum(part.size for part in parts) < size:
        parts.append(_syllable(pitch * chance.uniform(0.85, 1.2), chance))
        parts.append(np.zeros(round(SAMPLE_RATE * chance.uniform(0.0, 0.08))))

    return np.asarray(np.concatenate(parts)[:size], dtype=np.int16)


def _syllable(pitch: float, chance: np.random.Generator) -> _Sound:
    """A hiss, then harmonics of a pitch, strongest near two formants."""
    seconds = chance.uniform(0.08, 0.28)
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    hz = np.arange(1, int(5000 / pitch)) * pitch
    formants = chance.uniform(250, 900), chance.uniform(900, 2600), chance.uniform(2600, 4500)
    strength = sum(np.exp(-(((hz - it) / 150) ** 2)) for it in formants)
    vowel = strength @ np.sin(2 * np.pi * hz[:, None] * at)
    hiss = np.diff(chance.standard_normal(round(SAMPLE_RATE * chance.uniform(0.0, 0.07)) + 1))
    return np.concatenate((hiss * 600, 4000 * vowel * np.sin(np.pi * at / seconds) ** 0.5))


def played_back(sound: Pcm, *, delay: float, level_db: float, seed: int = 0) -> Pcm:
    """A sound as a microphone hears it from a loudspeaker in a room, some seconds later."""
    chance = np.random.default_rng(seed)
    at = np.arange(SAMPLE_RATE // 3) / SAMPLE_RATE
    echo = chance.standard_normal(at.size) * np.exp(-20 * at)
    echo /= np.sqrt((echo**2).sum())
    echo[0] += 0.7
    size = sound.size + echo.size
    heard = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(echo, size), size)[: sound.size]
    late = np.concatenate((np.zeros(round(delay * SAMPLE_RATE)), heard * 10 ** (level_db / 20)))
    noise = chance.standard_normal(late.size) * 20
    return np.clip(late + noise, -32767, 32767).astype(np.int16)
