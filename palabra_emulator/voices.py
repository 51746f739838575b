"""The sound of a translation: marker tones, which prove who reached whom in which language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import mix, tone
from palabra_emulator.markers import language_marker_hz
from palabra_emulator.speaking import SPEECH_RATE

_AMPLITUDE: Final = 0.3
_SESSION_AMPLITUDE: Final = _AMPLITUDE * 10 ** (-10 / 20)
"""10 dB below the language's."""

_SHORTEST_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Speech:
    """Something to be spoken."""

    text: str
    language: str
    seconds: float
    """How long the original was."""
    session_hz: int
    """The marker of the session that speaks."""


class Voice(Protocol):
    """Makes speech."""

    async def speak(self, speech: Speech, /) -> Pcm:
        """Make its sound, `SPEECH_RATE` mono."""
        ...


class MarkerVoice:
    """Speaks two tones at once, the language's and the session's, as long as the original."""

    async def speak(self, speech: Speech, /) -> Pcm:
        """Make the tones."""
        seconds = max(_SHORTEST_SECONDS, round(speech.seconds, 2))
        language_hz = language_marker_hz(speech.language)
        return mix(
            tone(language_hz, seconds, amplitude=_AMPLITUDE, rate=SPEECH_RATE),
            tone(speech.session_hz, seconds, amplitude=_SESSION_AMPLITUDE, rate=SPEECH_RATE),
        )
