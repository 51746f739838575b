"""The tones that mark speech: its language, the session that speaks, and the voice. Pure.

No two languages share a pitch, no two of the emulator's voices do, and each kind has a range of its
own, so that everything can be told back from the sound.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone_level_db
from palabra_agent.languages import TARGET_LANGUAGES, base

DEFAULT_VOICE: Final = "default_low"
"""The voice that speaks where no other was asked for, or the one asked for does not exist."""

CLONED_VOICE: Final = "(cloned)"
"""The name of a voice that imitates the speaker; no voice id looks like it."""

VOICE_STEP_HZ: Final = 20
"""Between the pitches of two voices: a fifth of a second tells them apart."""

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
_VOICES_FROM: Final = 4000
_VOICE_MARKERS: Final = 200

_OTHERS: Final = sorted({str(base(code)) for code in TARGET_LANGUAGES} - _CHOSEN.keys())
_OTHERS_STEP: Final = (_SESSIONS_FROM - _OTHERS_FROM) // len(_OTHERS)
"""As wide as fits below the sessions' markers: two markers never share a pitch."""

_MARKERS: Final = _CHOSEN | {
    code: _OTHERS_FROM + place * _OTHERS_STEP for place, code in enumerate(_OTHERS)
}
_ALWAYS_THERE: Final = (DEFAULT_VOICE, "default_high", CLONED_VOICE)
_HEARD_DB: Final = -32.0
"""A voice's marker has -20 dB, before it has been through codecs and rooms."""


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


def voice_markers(voices: Iterable[str]) -> dict[str, int]:
    """The pitch of each voice, of the default ones and of a cloned one.

    It follows from the voice's id; where two would share one, the later name takes the next.
    """
    markers: dict[str, int] = {}
    taken: set[int] = set()
    for voice in (*_ALWAYS_THERE, *sorted(set(voices) - set(_ALWAYS_THERE))):
        place = crc32(voice.encode(errors="replace")) % _VOICE_MARKERS
        while place in taken and len(taken) < _VOICE_MARKERS:
            place = (place + 1) % _VOICE_MARKERS
        taken.add(place)
        markers[voice] = _VOICES_FROM + VOICE_STEP_HZ * place

    return markers


def voice_heard(sound: Pcm, voices: Iterable[str], *, rate: int) -> str | None:
    """Tell which voice speaks in a sound; None where none of them does.

    Args:
        sound: Some of a translation, at least a fifth of a second.
        voices: The ids of the emulator's voices, as its option `voices` has them.
        rate: Samples per second of the sound.
    """
    levels = {
        voice: tone_level_db(sound, hz, rate=rate) for voice, hz in voice_markers(voices).items()
    }
    loudest = max(levels, key=lambda voice: levels[voice])
    return loudest if levels[loudest] > _HEARD_DB else None


def all_markers() -> dict[str, int]:
    """The pitch of every target language, regional variants included, lowest first."""
    markers = {str(code): language_marker_hz(code) for code in TARGET_LANGUAGES}
    return dict(sorted(markers.items(), key=lambda marker: (marker[1], marker[0])))
