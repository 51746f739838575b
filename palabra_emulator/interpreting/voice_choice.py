"""The voice that speaks to each target: by what the task asks for, and what was heard. Pure."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.markers import CLONED_VOICE, DEFAULT_VOICE
from palabra_emulator.interpreting.timbre import TimbreDetector
from palabra_emulator.session.task import TargetSettings, Task


class VoiceChoice:
    """Chooses the voices of one session."""

    def __init__(self, voices: AbstractSet[str], clone_after_seconds: float) -> None:
        self._voices = voices
        self._clone_after_seconds = clone_after_seconds
        self._speech_seconds = 0.0
        self._timbre = TimbreDetector()

    def hear(self, pcm: Pcm, task: Task) -> None:
        """Listen to the speaker, as far as the task makes it worth it."""
        if any(it.timbre_voices for it in task.translations):
            self._timbre.hear(pcm)

    def count_speech(self, seconds: float) -> None:
        """So much more of the speaker's voice has been heard."""
        self._speech_seconds += seconds

    def voice_for(self, target: TargetSettings | None) -> str:
        """The voice that speaks to a target now; another takes the place of one that is missing."""
        wanted = (self._wanted(target) if target is not None else None) or DEFAULT_VOICE
        return wanted if wanted in self._voices | {CLONED_VOICE} else DEFAULT_VOICE

    def _wanted(self, target: TargetSettings) -> str | None:
        if target.is_cloned:
            is_learnt = self._speech_seconds >= self._clone_after_seconds
            return CLONED_VOICE if is_learnt else None
        if target.timbre_voices is not None:
            high, low = target.timbre_voices
            return high if self._timbre.is_high else low

        return target.voice_id
