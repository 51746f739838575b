"""Facts as plugins are given them, made from the few that a test is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.plugin import (
    Speaker,
    Speech,
    Timbre,
    TranscriptEvent,
    VoiceChoice,
    VoiceRequest,
)
from palabra_agent.testing.sound import voice_sound

NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
"""When everything happens unless a test says something else."""


def a_speaker(
    identity: str = "alice",
    *,
    name: str | None = None,
    attributes: Mapping[str, str] | None = None,
    source_language: str | None = None,
    pitch_hz: float | None = None,
) -> Speaker:
    """Make somebody; what is left out is not known of them."""
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
        speaker: Whose voice; an identity stands for somebody of whom nothing else is known.
        target_language: The language in which it is heard.
        current: What the speaker has in it now.
        others: The voices of everybody else, by identity, then by language.
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
