"""When a speaker's voice may change: not in the middle of a sentence, and not too often. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from palabra_agent.interpretation.ports import Transcript
from palabra_agent.languages import LanguageCode
from palabra_agent.voices import VoiceChoice


class VoiceChange:
    """The voices that one speaker has, as against those that they are to have. Times in seconds."""

    def __init__(self) -> None:
        self.due = float("inf")
        """When a change that waits may be made, unless words come; infinity where none waits."""

    def hear(self, transcript: Transcript, now: float) -> None:
        """Learn of the speaker's words."""

    def voices(
        self, wanted: Mapping[LanguageCode, VoiceChoice], now: float
    ) -> Mapping[LanguageCode, VoiceChoice]:
        """The voices to have now, given those that are wanted."""
        return wanted
