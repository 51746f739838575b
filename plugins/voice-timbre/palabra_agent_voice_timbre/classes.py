"""Classes of voices: which pitch belongs to which, and what one has in a language. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from palabra_agent.plugin import LanguageCode, base
from palabra_agent_voice_timbre.fields import DEFAULT


@dataclass(frozen=True, slots=True)
class VoiceClass:
    """The voices for speakers whose own voice is alike."""

    voices: Mapping[str, tuple[str, ...]]
    """By target language, or `default`."""
    up_to_hz: float = math.inf
    """The highest pitch of those who belong here, and not to a class below."""
    reserve: str | None = None
    """The voice for a language that another class has voices for, but this one has none left."""

    def names(self, target: LanguageCode) -> bool:
        """Whether something is said of a language."""
        return any(key in self.voices for key in _keys(target))

    def voices_for(self, target: LanguageCode, unavailable: Collection[str]) -> tuple[str, ...]:
        """The voices to choose from: the nearest said of the language that are not unavailable.

        The language itself is nearest, then the language without its region, then `default`.
        """
        said = [self.voices.get(key, ()) for key in _keys(target)]
        if self.reserve is not None:
            said.append((self.reserve,))

        left = (tuple(it for it in ids if it not in unavailable) for ids in said)
        return next(filter(None, left), ())


def class_of(pitch_hz: float, classes: Sequence[VoiceClass]) -> int:
    """The position of the class that a pitch belongs to; the classes ascend."""
    fitting = (place for place, it in enumerate(classes) if pitch_hz <= it.up_to_hz)
    return next(fitting, len(classes) - 1)


def _keys(target: LanguageCode) -> tuple[str, ...]:
    return target, base(target), DEFAULT
