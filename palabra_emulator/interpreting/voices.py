"""The sound of translations: marker tones, which prove who reached whom, or espeak-ng."""

from __future__ import annotations

import logging
from typing import Final

from palabra_agent.audio.espeak import find_espeak, speak_words
from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_agent.languages import TARGET_LANGUAGES, base, normalise
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.speech import SpeechRequest, SpeechVoice

logger = logging.getLogger(__name__)

_CHOSEN: Final = {
    "en": 400,
    "es": 500,
    "de": 600,
    "fr": 700,
    "it": 800,
    "pt": 900,
    "ja": 1000,
    "zh": 1100,
}
_OTHERS_FROM: Final = 1200
_SESSIONS_FROM: Final = 2000
_SESSION_STEP: Final = 50
_SESSION_MARKERS: Final = 40

_OTHERS: Final = sorted({str(base(code)) for code in TARGET_LANGUAGES} - _CHOSEN.keys())
_OTHERS_STEP: Final = (_SESSIONS_FROM - _OTHERS_FROM) // len(_OTHERS)
"""As wide as fits below the sessions' markers: two markers never share a pitch."""

_MARKERS: Final = _CHOSEN | {
    code: _OTHERS_FROM + place * _OTHERS_STEP for place, code in enumerate(_OTHERS)
}

_AMPLITUDE: Final = 0.3
_SESSION_AMPLITUDE: Final = _AMPLITUDE * 10 ** (-10 / 20)
"""10 dB below the language's."""

_SHORTEST_SECONDS: Final = 0.1
_BLOCK_SAMPLES: Final = SPEECH_RATE // 100
"""10 ms: what is spoken goes out in whole blocks."""

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


def language_marker_hz(code: str) -> int:
    """The pitch that says that something is spoken in this target language.

    Raises:
        ValueError: Palabra has no such target language.
    """
    hz = _MARKERS.get(base(code))

    if hz is None:
        raise ValueError(f'"{code}" is no target language, so it has no marker')

    return hz


def session_marker_hz(n: int) -> int:
    """The pitch that says that something was spoken by the n-th session, counted from 0."""
    return _SESSIONS_FROM + _SESSION_STEP * (n % _SESSION_MARKERS)


def all_markers() -> dict[str, int]:
    """The pitch of every target language, regional variants included, lowest first."""
    markers = {str(code): language_marker_hz(code) for code in TARGET_LANGUAGES}
    return dict(sorted(markers.items(), key=lambda marker: (marker[1], marker[0])))


class MarkerVoice:
    """Speaks two tones at once, the language's and the session's, as long as the original.

    A faster tempo makes them shorter, and leaves their pitches alone.
    """

    async def speak(self, speech: SpeechRequest, /) -> Pcm:
        """Make the tones."""
        seconds = max(_SHORTEST_SECONDS, round(speech.seconds / speech.tempo, 2))
        language_hz = language_marker_hz(speech.language)
        return mix(
            tone(language_hz, seconds, amplitude=_AMPLITUDE, rate=SPEECH_RATE),
            tone(speech.session_hz, seconds, amplitude=_SESSION_AMPLITUDE, rate=SPEECH_RATE),
        )


class EspeakVoice:
    """Speaks the words, one program run per translation."""

    def __init__(self, stand_in: SpeechVoice) -> None:
        self._stand_in = stand_in
        self._is_installed = find_espeak() is not None
        self._silent_languages: set[str] = set()
        if not self._is_installed:
            logger.warning("espeak-ng is not installed: marker tones are spoken instead")

    async def speak(self, speech: SpeechRequest, /) -> Pcm:
        """Speak the text, or let the stand-in do it."""
        if not self._is_installed:
            return await self._stand_in.speak(speech)

        pace = round(_WORDS_PER_MINUTE * speech.tempo)
        sound = await speak_words(
            speech.text, _name_of(speech.language), rate=SPEECH_RATE, words_per_minute=pace
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


def _name_of(language: str) -> str:
    code = normalise(language)
    return _NAMES.get(code) or _NAMES.get(base(code)) or str(base(code))
