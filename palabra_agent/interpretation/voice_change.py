"""Changes of a speaker's voice: not in the middle of a sentence, and not too often. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Final

from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript
from palabra_agent.voices import VoiceChoice

_APART_SECONDS: Final = 2.0
"""Two changes are at least this far apart."""

_LONGEST_WAIT_SECONDS: Final = 10.0
"""A speaker who never pauses gets the new voice after this, in mid-sentence."""

_LOST_SECONDS: Final = 5.0
"""A sentence that has not become final so long after its last partial never will."""

TIMER_SECONDS: Final = 1e-6
"""A timer may ring early by less than this."""


class VoiceChange:
    """The voices that one speaker has, as against those that they are to have. Times in seconds."""

    def __init__(self) -> None:
        self._held: dict[LanguageCode, VoiceChoice | None] = {}
        """By target, None being the default voice."""
        self._waiting_since = math.inf
        """Since when something else is wanted than is there, without a break."""
        self._changed_at = -math.inf
        self._under_way: dict[str, float] = {}
        """Sentences that are not final, by utterance, and when each was last heard of."""

    @property
    def due(self) -> float:
        """The moment of a waiting change, unless words come; infinity where none waits."""
        if math.isinf(self._waiting_since):
            return math.inf

        over = (heard_at + _LOST_SECONDS for heard_at in self._under_way.values())
        earliest = max((self._waiting_since, self._changed_at + _APART_SECONDS, *over))
        return min(earliest, self._waiting_since + _LONGEST_WAIT_SECONDS)

    def hear(self, transcript: Transcript, now: float) -> None:
        """Learn of the speaker's words."""
        if transcript.is_translation:
            return

        self._under_way = {it: at for it, at in self._under_way.items() if now < at + _LOST_SECONDS}
        if transcript.is_final:
            self._under_way.pop(transcript.transcription_id, None)
        else:
            self._under_way[transcript.transcription_id] = now

    def voices(
        self,
        wanted: Mapping[LanguageCode, VoiceChoice],
        now: float,
        targets: Collection[LanguageCode],
    ) -> Mapping[LanguageCode, VoiceChoice]:
        """The voices to have now in these targets; in `wanted` the default voice is left out.

        The first ones hold at once, and so do those of targets that are added. Other changes wait
        for the end of the sentence under way, but for 10 s at most; one that is taken back
        meanwhile is none.
        """
        all_wanted = {target: wanted.get(target) for target in targets}
        self._held = {it: self._held.get(it, voice) for it, voice in all_wanted.items()}
        if self._held == all_wanted:
            self._waiting_since = math.inf
        else:
            self._waiting_since = min(self._waiting_since, now)
            if self.due <= now + TIMER_SECONDS:
                self._held = all_wanted
                self._waiting_since, self._changed_at = math.inf, now

        return {target: voice for target, voice in self._held.items() if voice is not None}
