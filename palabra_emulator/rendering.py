"""An utterance on its way into one target language."""

from __future__ import annotations

from dataclasses import dataclass

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.lines import Utterance
from palabra_emulator.narration import Stretch


@dataclass(slots=True)
class Rendering:
    """One translation: what is told, when, and its speech once that is made."""

    said: Utterance
    language: str
    text: str
    where: Stretch
    due: float
    """When it is to be told and spoken, on the session's clock."""
    is_silent: bool = False
    """Whether the task wants text only."""
    pcm: Pcm | None = None
    """Its speech, filled in by whoever has the voice."""
    is_told: bool = False

    @property
    def is_unspoken(self) -> bool:
        """Whether its speech is still awaited."""
        return not self.is_silent and self.pcm is None
