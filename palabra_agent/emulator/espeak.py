"""Speech by espeak-ng, where that program is installed; marker tones where it is not."""

from __future__ import annotations

import asyncio
import logging
import shutil
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_agent.emulator.speaking import SPEECH_RATE
from palabra_agent.emulator.voices import Speech, Voice
from palabra_agent.languages import base, normalise

logger = logging.getLogger(__name__)

_DEADLINE_SECONDS: Final = 5.0
_WAV_HEADER_BYTES: Final = 44
_RATE_AT: Final = slice(24, 28)
_BLOCK_SAMPLES: Final = SPEECH_RATE // 100

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
        self._program = shutil.which("espeak-ng")
        self._silent_languages: set[str] = set()
        if self._program is None:
            logger.warning("espeak-ng is not installed: marker tones are spoken instead")

    async def speak(self, speech: Speech, /) -> Pcm:
        """Speak the text, or let the stand-in do it."""
        if self._program is None:
            return await self._stand_in.speak(speech)

        wav = await _run(self._program, _name_of(speech.language), speech.text)
        if wav is not None:
            return wav_to_speech(wav)

        if speech.language not in self._silent_languages:
            self._silent_languages.add(speech.language)
            logger.warning(
                "espeak-ng cannot speak a language: marker tones are spoken instead",
                extra={"language": speech.language},
            )
        return await self._stand_in.speak(speech)


def wav_to_speech(wav: bytes) -> Pcm:
    """The sound of a 16 bit mono WAV, resampled to `SPEECH_RATE` and cut to whole 10 ms.

    The length in the header is not believed: a program that writes to a pipe cannot know it.
    """
    rate = int.from_bytes(wav[_RATE_AT], "little")
    samples = np.frombuffer(wav[_WAV_HEADER_BYTES : len(wav) // 2 * 2], dtype="<i2")
    length = samples.size * SPEECH_RATE // rate // _BLOCK_SAMPLES * _BLOCK_SAMPLES
    at = np.arange(length) * (rate / SPEECH_RATE)
    speech: Pcm = np.interp(at, np.arange(samples.size), samples).astype(np.int16)
    return speech


def _name_of(language: str) -> str:
    code = normalise(language)
    return _NAMES.get(code) or _NAMES.get(base(code)) or str(base(code))


async def _run(program: str, voice: str, text: str) -> bytes | None:
    """The WAV that the program makes; the text goes through its input, where nobody lists it."""
    process = await asyncio.create_subprocess_exec(
        program,
        "-v",
        voice,
        "--stdin",
        "--stdout",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS):
            wav, _ = await process.communicate(text.encode())
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    return wav if process.returncode == 0 and len(wav) > _WAV_HEADER_BYTES else None
