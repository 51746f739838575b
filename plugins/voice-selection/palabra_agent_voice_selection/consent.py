"""Consent of speakers to be cloned, and the log events that tell of it without names."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from palabra_agent.plugin import LanguageCode, Speaker

CONSENT_ATTRIBUTE: Final = "palabra.voice_consent"
"""The participant attribute by which people agree, with the value `true`."""

REMEMBERED: Final = 500
"""Speakers whose consent is remembered, to tell when it changes."""

_logger = logging.getLogger(__name__)


def agrees(speaker: Speaker, listed: Collection[str]) -> bool:
    """Tell if a speaker has agreed; what they say themselves outweighs any list."""
    said = speaker.attributes.get(CONSENT_ATTRIBUTE, "").strip().casefold()
    return said == "true" if said else speaker.identity in listed


class Consents:
    """Consent in one room: asked anew each time, its changes and its use told once."""

    def __init__(self, listed: Collection[str]) -> None:
        """Begin with no speaker.

        Args:
            listed: Identities that the room's config says have agreed.
        """
        self._listed = listed
        self._used_in: OrderedDict[str, set[LanguageCode]] = OrderedDict()
        """By speaker who has agreed, the languages in which it was made use of."""

    def has(self, speaker: Speaker) -> bool:
        """Tell if a speaker agrees now."""
        agreed = agrees(speaker, self._listed)
        if agreed and speaker.identity not in self._used_in:
            self._used_in[speaker.identity] = set[LanguageCode]()
            self._forget_the_oldest()
            self._tell("consent to voice cloning given")
        elif not agreed and self._used_in.pop(speaker.identity, None) is not None:
            self._tell("consent to voice cloning withdrawn")

        return agreed

    def use(self, speaker: Speaker, target: LanguageCode) -> None:
        """Take note that a speaker who agrees is cloned in a language."""
        languages = self._used_in.setdefault(speaker.identity, set[LanguageCode]())
        self._used_in.move_to_end(speaker.identity)
        if target not in languages:
            languages.add(target)
            self._tell("voice cloned with consent")

    def _forget_the_oldest(self) -> None:
        if len(self._used_in) > REMEMBERED:
            self._used_in.popitem(last=False)

    def _tell(self, event: str) -> None:
        cloned = sum(1 for languages in self._used_in.values() if languages)
        _logger.info(event, extra={"consenting": len(self._used_in), "cloned": cloned})
