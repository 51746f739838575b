"""What people are told while it holds: a voice that is imitated, words that are kept. Pure.

Each person is told once, also those who come later, and those who were told learn of the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from palabra_agent.interpretation.ports import MeetingView, Notice

_MOST_BEGINNINGS: Final = 3
"""Of one thing. A guest may begin and end it as often as they like, and the chat is for others."""

_NO_MORE: Final = "It may end and begin again from now on; that is not told any more."


@dataclass(frozen=True, slots=True)
class Announcement:
    """A sentence for the beginning of something, and one for its end."""

    begins: str
    ends: str


class Announcements:
    """The things that hold in a room, and who was told of each."""

    def __init__(self) -> None:
        self._told = defaultdict[str, set[str]](set)
        """By the thing that holds, the identities of those who were told."""
        self._held: dict[str, Announcement] = {}
        """As they were told."""
        self._beginnings = Counter[str]()

    def notices(self, view: MeetingView, holding: Mapping[str, Announcement]) -> Iterator[Notice]:
        """Make the notices that are due; each person is told when texts reach them.

        Args:
            view: The people who are there.
            holding: All that holds now, by a key that stays the same while it holds.
        """
        for key in [key for key in self._held if key not in holding]:
            if self._beginnings[key] < _MOST_BEGINNINGS:
                yield from self._end(key, view)

        for key, announcement in holding.items():
            yield from self._begin(key, announcement, view)

    def _begin(self, key: str, announcement: Announcement, view: MeetingView) -> Iterator[Notice]:
        if key not in self._held:
            self._held[key] = announcement
            self._beginnings[key] += 1

        told = self._told[key]
        new = [it.identity for it in view.people if it.is_reachable and it.identity not in told]
        if new:
            told.update(new)
            is_last = self._beginnings[key] == _MOST_BEGINNINGS
            words = f"{announcement.begins} {_NO_MORE}" if is_last else announcement.begins
            yield Notice(words, tuple(new))

    def _end(self, key: str, view: MeetingView) -> Iterator[Notice]:
        announcement, told = self._held.pop(key), self._told.pop(key, set[str]())
        there = [it.identity for it in view.people if it.is_reachable and it.identity in told]
        if there:
            yield Notice(announcement.ends, tuple(there))
