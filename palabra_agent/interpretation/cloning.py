"""Whose own voice is imitated, and whose is not although it is asked for; the log tells of both."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from palabra_agent.interpretation.announcements import Announcement
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from palabra_agent.voices import CONSENT_ATTRIBUTE, ClonedVoice

WITHHELD: Final = (
    f'the speaker has not agreed to be cloned: their attribute {CONSENT_ATTRIBUTE} is not "true"'
)
"""Why a voice is not imitated, for those who may know."""

_MOST_LOGGED: Final = 20
"""Changes of one speaker's, who may make any number of them; the rest is counted."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cloning:
    """The languages in which one speaker's own voice is asked for."""

    done: frozenset[LanguageCode] = frozenset()
    """Those in which it is imitated."""
    withheld: frozenset[LanguageCode] = frozenset()
    """Those in which it is not, for want of consent."""


def cloning_of(brief: Brief, cloned: Collection[LanguageCode]) -> Cloning:
    """Tell what becomes of a brief, given where settings ask for the speaker's own voice."""
    asked = frozenset(
        target
        for target in brief.targets
        if isinstance(brief.voices.get(target), ClonedVoice)
        or (target in cloned and target not in brief.voices)
    )
    return Cloning(done=asked) if brief.may_clone else Cloning(withheld=asked)


class ClonedSpeakers:
    """All speakers whose own voice is asked for, by identity; changes are logged without names."""

    def __init__(self) -> None:
        self._known: dict[str, Cloning] = {}
        self._names: dict[str, str] = {}
        self._changes = Counter[str]()

    def note(self, identity: str, name: str, cloning: Cloning) -> None:
        """Take in how it is with a speaker now."""
        before = self._known.pop(identity, Cloning())
        self._names.pop(identity, None)
        if cloning != Cloning():
            self._known[identity], self._names[identity] = cloning, name

        for event, languages in (
            ("voice cloning ends", before.done - cloning.done),
            ("voice cloning begins", cloning.done - before.done),
            ("voice cloning withheld for want of consent", cloning.withheld - before.withheld),
        ):
            if languages:
                self._log(identity, event, languages)

    def forget(self, identity: str) -> None:
        """Take note that a speaker is not interpreted any more."""
        self.note(identity, "", Cloning())
        untold = self._changes.pop(identity, 0) - _MOST_LOGGED
        if untold > 0:
            logger.info("voice cloning changed more often than was told", extra={"count": untold})

    def announcements(self) -> Iterator[tuple[str, Announcement]]:
        """Make what people are told of those whose voice is imitated."""
        for identity, cloning in self._known.items():
            if cloning.done:
                name = self._names[identity]
                yield (
                    f"voice of {identity}",
                    Announcement(
                        f"The voice of {name} is imitated in interpretations, as they agreed.",
                        f"The voice of {name} is not imitated any more.",
                    ),
                )

    def _log(self, identity: str, event: str, languages: Collection[LanguageCode]) -> None:
        self._changes[identity] += 1
        if self._changes[identity] <= _MOST_LOGGED:
            logger.info(event, extra={"languages": sorted(languages)})
