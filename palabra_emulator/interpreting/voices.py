"""The sound of translations: marker tones, which prove who reached whom, or espeak-ng."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from palabra_agent.audio.espeak import find_espeak, speak_words
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.languages import base, normalise
from palabra_emulator.interpreting.markers import (
    CLONED_VOICE,
    DEFAULT_VOICE,
    VOICE_STEP_HZ,
    language_marker_hz,
    voice_markers,
)
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.speech import SpeechRequest, SpeechVoice

logger = logging.getLogger(__name__)

_AMPLITUDE: Final = 0.3
_SOFT_AMPLITUDE: Final = _AMPLITUDE * 10 ** (-10 / 20)
"""10 dB below the language's: the session's and the voice's."""

_SHORTEST_SECONDS: Final = 0.1
_BLOCK_SAMPLES: Final = SPEECH_RATE // 100
"""10 ms: what is spoken goes out in whole blocks."""

_KNOWN_SOUNDS: Final = {
    DEFAULT_VOICE: ("m3", 35),
    "default_high": ("f2", 60),
    CLONED_VOICE: ("klatt2", 50),
}
"""Variants of espeak-ng and pitches for voices that say what they are."""

_VARIANTS: Final = ("f1", "m1", "f3", "m4", "f4", "m5", "f5", "m7", "linda", "m8", "steph", "m2")

_LOWEST_PITCH: Final = 20
_PITCH_STEP: Final = 4
_PITCHES: Final = 17

_WORDS_PER_MINUTE: Final = 175
"""The usual pace of espeak-ng."""

_NAMES: Final = {
    "en-us": "en-us",
    "en-gb": "en-gb",
    "es-mx": "es-419",
    "es-la": "es-419",
    "es-ar": "es-419",
    "es-co": "es-419",
    "es-ch": "es-419",
    "fil": "id",
    "no": "nb",
    "pt-br": "pt-br",
    "pt-la": "pt-br",
    "tl": "id",
    "zh": "cmn",
}
"""Voices whose names differ from Palabra's codes; `fil` has none, `id` reads it best."""


class MarkerVoice:
    """Speaks three tones at once: the language's, the session's and the voice's.

    They last as long as asked, with the pause at their end. A faster tempo makes them shorter, and
    leaves their pitches alone.
    """

    def __init__(self, voices: Iterable[str] = ()) -> None:
        self._markers = voice_markers(voices)

    async def speak(self, speech: SpeechRequest, /) -> Pcm:
        """Make the tones."""
        pause = round(speech.pause / speech.tempo, 2)
        seconds = max(_SHORTEST_SECONDS, round(speech.seconds / speech.tempo, 2) - pause)
        language_hz, voice_hz = language_marker_hz(speech.language), self._markers[speech.voice]
        tones = mix(
            tone(language_hz, seconds, amplitude=_AMPLITUDE, rate=SPEECH_RATE),
            tone(speech.session_hz, seconds, amplitude=_SOFT_AMPLITUDE, rate=SPEECH_RATE),
            tone(voice_hz, seconds, amplitude=_SOFT_AMPLITUDE, rate=SPEECH_RATE),
        )
        return np.concatenate((tones, np.zeros(round(pause * SPEECH_RATE), np.int16)))


class EspeakVoice:
    """Speaks the words, one program run per translation; each voice has a sound of its own."""

    def __init__(self, stand_in: SpeechVoice, voices: Iterable[str] = ()) -> None:
        self._stand_in = stand_in
        self._sounds = _sounds(voices)
        self._is_installed = find_espeak() is not None
        self._silent_languages: set[str] = set()
        if not self._is_installed:
            logger.warning("espeak-ng is not installed: marker tones are spoken instead")

    async def speak(self, speech: SpeechRequest, /) -> Pcm:
        """Speak the text, or let the stand-in do it."""
        if not self._is_installed:
            return await self._stand_in.speak(speech)

        pace = round(_WORDS_PER_MINUTE * speech.tempo)
        variant, pitch = self._sounds[speech.voice]
        sound = await speak_words(
            speech.text,
            f"{_name_of(speech.language)}+{variant}",
            rate=SPEECH_RATE,
            words_per_minute=pace,
            pitch=pitch,
        )
        if sound is not None:
            return sound[: sound.size // _BLOCK_SAMPLES * _BLOCK_SAMPLES]

        if speech.language not in self._silent_languages:
            self._silent_languages.add(speech.language)
            logger.warning(
                "espeak-ng cannot speak a language: marker tones are spoken instead",
                extra={"language": speech.language},
            )
        return await self._stand_in.speak(speech)


def _sounds(voices: Iterable[str]) -> Mapping[str, tuple[str, int]]:
    """The variant and the pitch (0 to 99) of each voice, as different as their markers are."""
    sounds: dict[str, tuple[str, int]] = {}
    for voice, hz in voice_markers(voices).items():
        step, variant = divmod(hz // VOICE_STEP_HZ, len(_VARIANTS))
        sounds[voice] = (_VARIANTS[variant], _LOWEST_PITCH + _PITCH_STEP * (step % _PITCHES))

    return {**sounds, **_KNOWN_SOUNDS}


def _name_of(language: str) -> str:
    code = normalise(language)
    return _NAMES.get(code) or _NAMES.get(base(code)) or str(base(code))
