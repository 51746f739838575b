"""What speakers are called in a transcript: by name, or by the order of their first words."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from palabra_agent.plugin import Speaker
from palabra_agent_transcript_export.text import one_line

_REMEMBERED: Final = 5_000
_LONGEST_NAME: Final = 100
_TURNS_OF_WRITING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
"""With these a name would turn around the words beside it."""


class SpeakerNames:
    """Numbers a room's speakers, each identity always the same."""

    def __init__(self, *, by_name: bool) -> None:
        self._by_name = by_name
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._last = 0

    def number(self, speaker: Speaker) -> int:
        """The speaker's number, from 1; none is given twice."""
        identity = speaker.identity
        if identity not in self._numbers:
            self._last += 1
            self._numbers[identity] = self._last

        self._numbers.move_to_end(identity)
        if len(self._numbers) > _REMEMBERED:
            self._numbers.popitem(last=False)

        return self._numbers[identity]

    def label(self, speaker: Speaker) -> str:
        """What the transcript calls them."""
        name = _name(speaker) if self._by_name else ""
        return name or f"Speaker {self.number(speaker)}"


def _name(speaker: Speaker) -> str:
    """What they call themselves, if anything: the host puts the identity in its place."""
    if speaker.name == speaker.identity:
        return ""

    return one_line(speaker.name.translate(_TURNS_OF_WRITING))[:_LONGEST_NAME].strip()
