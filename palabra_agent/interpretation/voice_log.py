"""What the log says about voices: each decision, and where somebody's own voice is imitated.

It names nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet

from palabra_agent.languages import LanguageCode
from palabra_agent.voices import (
    ClonedVoice,
    FixedVoice,
    TimbreMatchedVoice,
    Verdict,
    VoiceChoice,
)

logger = logging.getLogger(__name__)


class VoiceLog:
    """Tells what changes, each once."""

    def __init__(self) -> None:
        self._cloned: AbstractSet[tuple[str, LanguageCode]] = frozenset()

    def choose(self, language: LanguageCode, verdict: Verdict) -> None:
        """Tell of a voice that was chosen for somebody."""
        facts = {
            "language": language,
            "kind": _kind(verdict.choice),
            "plugin": verdict.chosen_by,
        }
        logger.info("voice chosen", extra=facts)

    def follow_cloning(self, cloned: AbstractSet[tuple[str, LanguageCode]]) -> None:
        """Tell where imitating begins and ends.

        Args:
            cloned: Whose own voice is imitated now, and in which language.
        """
        before, self._cloned = self._cloned, cloned
        for _, language in sorted(before - cloned):
            logger.info("voice cloning ends", extra={"language": language})
        for _, language in sorted(cloned - before):
            logger.info("voice cloning begins", extra={"language": language})


def _kind(choice: VoiceChoice | None) -> str:
    match choice:
        case FixedVoice():
            return "fixed"
        case ClonedVoice():
            return "cloned"
        case TimbreMatchedVoice():
            return "timbre_matched"
        case None:
            return "default"
