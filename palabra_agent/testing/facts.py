"""Facts as plugins are given them, made from the few that a test is about; voices, too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.plugin import (
    Speaker,
    Speech,
    Timbre,
    TranscriptEvent,
    VoiceChoice,
    VoiceRequest,
)

_FULL_SCALE: Final = 32767
_LOUDNESS: Final = 0.3
_HIGHEST_HZ: Final = 5000.0
_FORMANTS: Final = ((500.0, 120.0, 1.0), (1500.0, 180.0, 0.5), (2500.0, 250.0, 0.25))
"""Frequency, width and weight of the resonances of a mouth that says `uh`."""
_VIBRATO_HZ: Final = 5.0
_VIBRATO: Final = 0.01
_SYLLABLES_PER_SECOND: Final = 4.0

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""The moment of all events unless a test says something else."""


def voice_sound(pitch_hz: float, seconds: float) -> Pcm:
    """Make a voice of a pitch: 48 kHz, mono, in syllables, without pauses."""
    if not 40.0 <= pitch_hz <= 1000.0:
        raise ValueError(f"pitch_hz must be between 40 and 1000, not {pitch_hz:g}")

    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    vibrato = _VIBRATO * pitch_hz / _VIBRATO_HZ * np.sin(2 * np.pi * _VIBRATO_HZ * at) / np.pi / 2
    cycles = pitch_hz * at + vibrato
    voice = np.zeros_like(at)
    for number in range(1, int(_HIGHEST_HZ / pitch_hz) + 1):
        # phases apart, or all of them would peak at once
        voice += _weight(number * pitch_hz) * np.sin(2 * np.pi * (number * cycles + number**2 / 7))

    voice *= 0.65 - 0.35 * np.cos(2 * np.pi * _SYLLABLES_PER_SECOND * at)
    loudest = np.abs(voice).max(initial=1e-9)
    sound: Pcm = (_LOUDNESS * _FULL_SCALE * voice / loudest).astype(np.int16)
    return sound


def _weight(hz: float) -> float:
    """Give the loudness of a harmonic: the source falls with its frequency, the mouth resounds."""
    resonance = sum(
        weight / (1 + ((hz - centre) / width) ** 2) for centre, width, weight in _FORMANTS
    )
    return float((resonance + 0.05) * 100.0 / (hz + 100.0))


def a_speaker(
    identity: str = "alice",
    *,
    name: str | None = None,
    attributes: Mapping[str, str] | None = None,
    source_language: str | None = None,
    pitch_hz: float | None = None,
) -> Speaker:
    """Make a speaker; what is left out is not known of them."""
    return Speaker(
        identity=identity,
        name=identity if name is None else name,
        attributes=MappingProxyType(dict(attributes or {})),
        source_language=_code(source_language),
        timbre=None if pitch_hz is None else Timbre(pitch_hz),
    )


def voice_request(
    speaker: Speaker | str = "alice",
    target_language: str = "es",
    *,
    current: VoiceChoice | None = None,
    others: Mapping[str, Mapping[str, VoiceChoice]] | None = None,
    unavailable: Collection[str] = (),
    room: str = "room",
) -> VoiceRequest:
    """Make a question for a speaker's voice, as `choose_voice` is given it.

    Args:
        speaker: The speaker; an identity stands for one of whom nothing else is known.
        target_language: The language in which it is heard.
        current: The voice that the speaker has in it now.
        others: The voices of all other speakers, by identity, then by language.
        unavailable: Ids of voices that Palabra does not have.
        room: The room's name.
    """
    voices = (others or {}).items()
    return VoiceRequest(
        room=room,
        speaker=a_speaker(speaker) if isinstance(speaker, str) else speaker,
        target_language=normalise(target_language),
        current=current,
        others={who: {normalise(code): it for code, it in had.items()} for who, had in voices},
        unavailable=frozenset(unavailable),
    )


def transcript_event(
    text: str,
    *,
    speaker: Speaker | str = "alice",
    language: str = "en",
    utterance: str = "1",
    part: str = "",
    is_final: bool = True,
    is_translation: bool = False,
    original: str = "",
    began_at: datetime = NOON,
    told_at: datetime | None = None,
    room: str = "room",
) -> TranscriptEvent:
    """Make words, as `on_transcript` is told them; told the moment they began, unless said."""
    return TranscriptEvent(
        room=room,
        speaker=a_speaker(speaker) if isinstance(speaker, str) else speaker,
        utterance=utterance,
        part=part,
        language=normalise(language),
        text=text,
        is_final=is_final,
        is_translation=is_translation,
        original=original,
        began_at=began_at,
        told_at=began_at if told_at is None else told_at,
    )


def a_speech(
    pitch_hz: float = 120.0, *, seconds: float = 3.0, speaker: Speaker | str = "alice"
) -> Speech:
    """Make a few seconds of a voice, as `estimate_timbre` is given them.

    It is synthetic: harmonics of a known pitch with the resonances of a mouth, in syllables.
    """
    samples = voice_sound(pitch_hz, seconds)
    samples.setflags(write=False)
    return Speech(
        speaker=a_speaker(speaker) if isinstance(speaker, str) else speaker,
        samples=samples,
        sample_rate=SAMPLE_RATE,
    )


def _code(language: str | None) -> LanguageCode | None:
    return None if language is None else normalise(language)
