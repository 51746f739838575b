"""Marker tones: which pitch says which language, and which says which session."""

from __future__ import annotations

from typing import Final

from palabra_agent.languages import TARGET_LANGUAGES, base

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
