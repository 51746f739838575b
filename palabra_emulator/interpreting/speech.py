"""Speech that is asked for: what is to be spoken and how, and who speaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.markers import DEFAULT_VOICE


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    """Something to be spoken."""

    text: str
    language: str
    seconds: float
    """Its length at the usual tempo."""
    session_hz: int
    """The marker of the session that speaks."""
    voice: str = DEFAULT_VOICE
    """The id of the voice that speaks."""
    tempo: float = 1.0
    """How many times as fast as usual it is spoken."""
    pause: float = 0.0
    """The part of its length that is silence, at its end."""


@dataclass(slots=True)
class WantedSpeech:
    """Speech that is to be made, and its sound as soon as it is."""

    request: SpeechRequest
    pcm: Pcm | None = None


class SpeechVoice(Protocol):
    """Makes speech."""

    async def speak(self, speech: SpeechRequest, /) -> Pcm:
        """Make its sound, `SPEECH_RATE` mono."""
        ...
