"""Voices that may be chosen, the speakers whom they are for, and their consent to be imitated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from palabra_agent.languages import LanguageCode

LONGEST_VOICE_ID: Final = 256

DEFAULT_VOICES: Final = frozenset({"default_low", "default_high"})
"""Palabra's own, for all but a few languages; where one is missing it speaks with what it has."""


@dataclass(frozen=True, slots=True)
class FixedVoice:
    """A voice of Palabra's, or one of the account's own, by its id.

    `default_low` and `default_high` are there in nearly every language.
    """

    voice_id: str

    def __post_init__(self) -> None:
        _check_id(self.voice_id)


@dataclass(frozen=True, slots=True)
class ClonedVoice:
    """The speaker's own voice, imitated after 10 to 20 seconds of speech.

    It counts for speakers who have agreed (`Speaker.agrees_to_cloning`), and for no others.
    """


@dataclass(frozen=True, slots=True)
class TimbreMatchedVoice:
    """One of two voices: Palabra hears whether the speaker's own is high or low."""

    high: str = "default_high"
    """Id of the voice for a high one."""
    low: str = "default_low"
    """Id of the voice for a low one."""

    def __post_init__(self) -> None:
        _check_id(self.high)
        _check_id(self.low)


VoiceChoice: TypeAlias = FixedVoice | ClonedVoice | TimbreMatchedVoice
"""The voice of one speaker in one target language."""


def voice_ids(choice: VoiceChoice | None) -> frozenset[str]:
    """The ids of the voices that a choice may bring to be heard."""
    match choice:
        case FixedVoice(voice_id):
            return frozenset({voice_id})
        case TimbreMatchedVoice(high, low):
            return frozenset({high, low})
        case ClonedVoice() | None:
            return frozenset()


CONSENT_ATTRIBUTE: Final = "palabra.voice_consent"
"""The participant attribute by which speakers agree that their own voice is imitated."""

NOT_AGREED: Final = "the speaker has not agreed to be cloned"
"""Why a voice is not imitated, as it is told."""


def agrees_to_cloning(attributes: Mapping[str, str]) -> bool:
    """Tell if a participant has agreed: nothing but `true` is consent, saying nothing is none.

    Spaces around it and capitals are forgiven, in the value alone.
    """
    return attributes.get(CONSENT_ATTRIBUTE, "").strip().casefold() == "true"


@dataclass(frozen=True, slots=True)
class Timbre:
    """The sound of a speaker's own voice, as far as it is known."""

    pitch_hz: float
    """Median fundamental frequency of what was heard, typically 80 to 260."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """A participant who is interpreted, as plugins are told."""

    identity: str
    """Chosen by the participant's token, the same after a reconnect and on rejoining."""
    name: str
    """The name that others see, on one short line; the identity where there is none."""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """LiveKit's participant attributes: set by the participant or by the app's server."""
    source_language: LanguageCode | None = None
    """The language they speak: configured, or detected by Palabra; None while it is unknown."""
    timbre: Timbre | None = None
    """The sound of their voice; None while it is unknown, or no plugin estimates it."""

    @property
    def agrees_to_cloning(self) -> bool:
        """True where they have agreed that their own voice is imitated."""
        return agrees_to_cloning(self.attributes)


def _check_id(voice_id: object) -> None:
    if not isinstance(voice_id, str) or not 0 < len(voice_id) <= LONGEST_VOICE_ID:
        raise ValueError(f"a voice id is a string of 1 to {LONGEST_VOICE_ID} characters")
