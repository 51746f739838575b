"""What is wrong in a room right now, kept as one state and one sentence; pure bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from palabra_agent.interpretation.ports import RoomState, RoomStatus
from palabra_agent.languages import LanguageCode

_LONGEST_SENTENCE: Final = 2000
"""It becomes an attribute, and LiveKit drops those that are too long without a word."""


class Troubles:
    """Who or what cannot be served, and why."""

    def __init__(self) -> None:
        self._sentences: dict[str, str] = {}
        self._told: set[str] = set()

    def report(self, who: str, sentence: str) -> None:
        """Note what is wrong with a speaker."""
        self._sentences[who] = sentence

    def resolve(self, who: str) -> None:
        """Note that nothing is wrong there any more."""
        self._sentences.pop(who, None)

    def is_first_time(self, sentence: str) -> bool:
        """Whether people were not told this yet; from now on they were."""
        if sentence in self._told:
            return False

        self._told.add(sentence)
        return True

    def status(self, live: Sequence[LanguageCode]) -> RoomStatus:
        """Sum up a room that is otherwise ready; different troubles stand in one line."""
        state = RoomState.DEGRADED if self._sentences else RoomState.LIVE
        sentence = "; ".join(dict.fromkeys(self._sentences.values()))
        return RoomStatus(state, tuple(live), sentence[:_LONGEST_SENTENCE])
