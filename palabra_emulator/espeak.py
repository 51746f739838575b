"""Speech by espeak-ng, where that program is installed; marker tones where it is not."""

from __future__ import annotations

import logging
from typing import Final

from palabra_agent.audio.espeak import find_espeak, speak_words
from palabra_agent.audio.pcm import Pcm
from palabra_agent.languages import base, normalise
from palabra_emulator.speaking import SPEECH_RATE
from palabra_emulator.voices import Speech, Voice

logger = logging.getLogger(__name__)

_BLOCK_SAMPLES: Final = SPEECH_RATE // 100
"""10 ms: what is spoken goes out in whole blocks."""

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


class EspeakVoice:
    """Speaks the words, one program run per translation."""

    def __init__(self, stand_in: Voice) -> None:
        self._stand_in = stand_in
        self._is_installed = find_espeak() is not None
        self._silent_languages: set[str] = set()
        if not self._is_installed:
            logger.warning("espeak-ng is not installed: marker tones are spoken instead")

    async def speak(self, speech: Speech, /) -> Pcm:
        """Speak the text, or let the stand-in do it."""
        if not self._is_installed:
            return await self._stand_in.speak(speech)

        sound = await speak_words(speech.text, _name_of(speech.language), rate=SPEECH_RATE)
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
