"""Audible speech out of sentences: espeak-ng where it is installed, else a synthetic voice.

The synthetic voice says no words, but it sounds and pauses like a person who speaks: a buzz
through two formants per syllable, with the sentence's own number of syllables. Either way the
sound begins and ends with the speech, without silence around it.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from palabra_agent.audio.espeak import speak_words
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.languages import base

_PEAK: Final = 0.5
_EDGE: Final = 0.01
"""Share of the peak below which the beginning and the end count as silence."""

_SYLLABLE_SECONDS: Final = 0.16
_WORD_GAP_SECONDS: Final = 0.04
_VOWELS: Final = ((730, 1090), (530, 1840), (270, 2290), (570, 840), (300, 870))
"""First and second formant of a, e, i, o, u."""


@dataclass(slots=True)
class SyntheticVoice:
    """A person's way to speak; a sentence that was said once is not made again."""

    variant: str = ""
    """espeak-ng's variant, such as `f3` or `m2`."""
    pitch_hz: float = 120.0
    """Of the synthetic voice."""
    words_per_minute: int = 165
    _said: dict[tuple[str, str], Pcm] = field(
        default_factory=dict[tuple[str, str], Pcm], repr=False
    )

    async def speak(self, text: str, language: str) -> Pcm:
        """The sound of a sentence."""
        key = (text, language)
        if key not in self._said:
            spoken = await self._espeak(text, language)
            self._said[key] = synthetic_speech(text, self.pitch_hz) if spoken is None else spoken

        return self._said[key]

    async def _espeak(self, text: str, language: str) -> Pcm | None:
        voice = str(base(language)) + (f"+{self.variant}" if self.variant else "")
        sound = await speak_words(
            text, voice, rate=SAMPLE_RATE, words_per_minute=self.words_per_minute
        )
        return _trimmed(sound.astype(np.float64)) if sound is not None and sound.any() else None


def synthetic_speech(text: str, pitch_hz: float = 120.0) -> Pcm:
    """A voice without words, as long as the sentence would be; the same for the same text."""
    chance = np.random.default_rng(zlib.crc32(text.encode()))
    gap = np.zeros(round(_WORD_GAP_SECONDS * SAMPLE_RATE))
    parts: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for word in re.findall(r"\w+", text) or ["-"]:
        syllables = max(1, round(len(word) / 3))
        parts += [
            _syllable(pitch_hz * chance.uniform(0.9, 1.15), int(chance.integers(5)))
            for _ in range(syllables)
        ]
        parts.append(gap)

    return _trimmed(np.concatenate(parts))


def _syllable(pitch_hz: float, vowel: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """One vowel: harmonics of the pitch, strongest near the formants, swelling and fading."""
    at = np.arange(round(_SYLLABLE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    harmonics = np.arange(1, int(3500 / pitch_hz)) * pitch_hz
    strength = np.full(harmonics.shape, 0.02)
    for formant in _VOWELS[vowel]:
        strength += np.exp(-(((harmonics - formant) / 120) ** 2))

    sound = strength @ np.sin(2 * np.pi * harmonics[:, None] * at)
    swell = np.sin(np.pi * at / _SYLLABLE_SECONDS) ** 0.5
    return np.asarray(sound * swell, dtype=np.float64)


def _trimmed(sound: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Pcm:
    peak = float(np.abs(sound).max())
    loud = np.flatnonzero(np.abs(sound) > peak * _EDGE)
    speech = sound[loud[0] : loud[-1] + 1]
    return np.asarray(speech / peak * _PEAK * 32767, dtype=np.int16)
