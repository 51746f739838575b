"""Voices and who they are for: what may be chosen, and the facts that a choice is made by."""

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

    It is for the plugin to see to it that the speaker has agreed.
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
"""How one speaker sounds in one target language."""


def voice_ids(choice: VoiceChoice | None) -> frozenset[str]:
    """The ids of the voices that a choice may bring to be heard."""
    match choice:
        case FixedVoice(voice_id):
            return frozenset({voice_id})
        case TimbreMatchedVoice(high, low):
            return frozenset({high, low})
        case ClonedVoice() | None:
            return frozenset()


@dataclass(frozen=True, slots=True)
class Timbre:
    """What is known of how a speaker's own voice sounds."""

    pitch_hz: float
    """Median fundamental frequency of what was heard, typically 80 to 260."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Somebody who is interpreted, as far as plugins are told."""

    identity: str
    """Chosen by the participant's token, the same after a reconnect and on rejoining."""
    name: str
    """What the others call them; the identity where they have no name."""
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    """LiveKit's participant attributes: set by the participant or by the app's server."""
    source_language: LanguageCode | None = None
    """What they speak: said by somebody or heard by Palabra; None while nobody knows."""
    timbre: Timbre | None = None
    """How their own voice sounds; None while nobody knows, or no plugin estimates it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRequest:
    """The question which voice a speaker shall have in a language, with the facts at the moment.

    New facts may be added; none is taken away.
    """

    room: str
    """Name of the room."""
    speaker: Speaker
    target_language: LanguageCode
    """The language in which the voice is heard."""
    current: VoiceChoice | None = None
    """What this speaker has in this language now; None: the default voice, or none yet."""
    others: Mapping[str, Mapping[LanguageCode, VoiceChoice]] = field(
        default_factory=dict[str, Mapping[LanguageCode, VoiceChoice]]
    )
    """The voices of everybody else who is interpreted now: by identity, then by language."""
    unavailable: frozenset[str] = frozenset()
    """Ids of voices that Palabra said it does not have, in this room so far."""

    @property
    def taken(self) -> frozenset[str]:
        """Ids of the voices that others have in this language."""
        held = (voices.get(self.target_language) for voices in self.others.values())
        return frozenset().union(*map(voice_ids, held))


@dataclass(frozen=True, slots=True)
class Passed:
    """No choice, for a reason that `palabra.explain` may tell; it must hold nobody's name."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of asking the plugins of a room for a voice."""

    choice: VoiceChoice | None = None
    """None: the default voice, as the room's config says."""
    chosen_by: str | None = None
    """Name of the plugin that chose; None for the default voice."""
    passed: tuple[tuple[str, str], ...] = ()
    """The plugins that were asked before and chose nothing that counts, and why, in order."""


def _check_id(voice_id: object) -> None:
    if not isinstance(voice_id, str) or not 0 < len(voice_id) <= LONGEST_VOICE_ID:
        raise ValueError(f"a voice id is a string of 1 to {LONGEST_VOICE_ID} characters")
