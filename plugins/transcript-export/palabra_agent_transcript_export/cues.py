"""When subtitles are shown: one after the other, none backwards, each long enough to be seen."""

from __future__ import annotations

from typing import Final

SHORTEST_MS: Final = 500


class Timeline:
    """The times of one file of subtitles, which is only ever written at its end.

    People talk at the same time, and long sentences are told after short ones that began later;
    players want a file's cues in order. So a cue begins where the one before it ends, or later.
    """

    def __init__(self) -> None:
        self._end_ms = 0

    def place(self, begin_ms: int, end_ms: int) -> tuple[int, int]:
        """Find the time of the next cue."""
        begin_ms = max(begin_ms, self._end_ms)
        self._end_ms = max(end_ms, begin_ms + SHORTEST_MS)
        return begin_ms, self._end_ms


def clock(milliseconds: int, point: str) -> str:
    """Spell a time as `00:01:02.345`, with whatever stands before the thousandths."""
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"
