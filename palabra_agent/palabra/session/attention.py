"""When listening to somebody is worth paying for: asleep in long silences, awake at a first word.

Pure: it is told what is heard, said and spoken, and answers with times. Palabra charges for the
time in which a task runs, and confirms a sentence only by silence that it hears; so a silence must
last, and what was said before must have been told and spoken, before the task is paused.
"""

from __future__ import annotations

import math
from typing import Final

from palabra_agent.session import Transcript

_ONSET_MS: Final = 60.0
"""So much sound in a row is speech; less is a click."""

_SETTLE_SECONDS: Final = 2.0
"""So long nothing must have been told nor spoken before what was said counts as interpreted."""

_PATIENCE_SECONDS: Final = 10.0
"""How long a sentence that is never confirmed may keep us awake."""


class Attention:
    """Whether one speaker is listened to. Times are in seconds of any steady clock."""

    def __init__(self, idle_seconds: float, now: float) -> None:
        """Begin awake.

        Args:
            idle_seconds: Silence after which it falls asleep; infinity for never.
            now: The time.
        """
        self.is_asleep = False
        self._idle_seconds = idle_seconds
        self._is_muted = False
        self._onset_ms = 0.0
        self._spoke_at = now
        """When the speaker was last heard, by us or by Palabra, or we woke up."""
        self._settled_at = now
        """When the interpretation of what they said was last heard of."""
        self._open: set[str] = set()
        """Utterances that began and are not confirmed."""

    def hear(self, speech_ms: float, now: float) -> bool:
        """Listen to a frame of the speaker's voice; returns whether it woke us up.

        Args:
            speech_ms: How much speech it holds; 0 in a pause.
            now: The time.
        """
        self._onset_ms = self._onset_ms + speech_ms if speech_ms else 0.0
        if self._onset_ms < _ONSET_MS:
            return False

        self._spoke_at = now
        was_asleep, self.is_asleep = self.is_asleep, False
        return was_asleep

    def wake(self, now: float) -> None:
        """Learn that Palabra hears from now on, first of all what was said before."""
        self._settled_at = now

    def send(self, now: float) -> None:
        """Learn that speech is sent now, perhaps long after it was heard."""
        self._spoke_at = max(self._spoke_at, now)

    def mute(self, *, is_muted: bool) -> None:
        """Learn whether the speaker has muted themselves: then no word is to be expected."""
        self._is_muted = is_muted

    def read(self, transcript: Transcript, now: float) -> None:
        """Learn of words that were recognised or translated."""
        self._settled_at = now
        if transcript.is_translation:
            return

        if transcript.is_final:
            self._open.discard(transcript.transcription_id)
        else:
            self._open.add(transcript.transcription_id)

    def listen(self, now: float) -> None:
        """Learn that interpreted speech sounds."""
        self._settled_at = now

    def sleep(self) -> None:
        """Fall asleep; what was open will not be confirmed any more."""
        self.is_asleep = True
        self._open.clear()

    def bedtime(self) -> float:
        """When it may fall asleep, unless something happens before; infinity for never."""
        if self.is_asleep or math.isinf(self._idle_seconds):
            return math.inf

        idle = min(self._idle_seconds, _SETTLE_SECONDS) if self._is_muted else self._idle_seconds
        settled = self._settled_at + _SETTLE_SECONDS
        unconfirmed = self._spoke_at + _PATIENCE_SECONDS if self._open else -math.inf
        return max(self._spoke_at + idle, settled, unconfirmed)
