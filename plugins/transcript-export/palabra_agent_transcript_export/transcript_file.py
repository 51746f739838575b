"""One file of a transcript, and what could not be written into it yet."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from palabra_agent_transcript_export.allowance import Allowance
from palabra_agent_transcript_export.appending import AppendedFile
from palabra_agent_transcript_export.cues import Timeline
from palabra_agent_transcript_export.entries import Entry
from palabra_agent_transcript_export.formats import Cue, Format
from palabra_agent_transcript_export.text import encoded

MOST_WAITING: Final = 1_000
"""Cues that wait while the disk refuses; then the oldest are lost."""

_logger = logging.getLogger(__name__)


class TranscriptFile:
    """Cues in one format, and one language where it is subtitles."""

    def __init__(
        self,
        locate: Callable[[], Path],
        form: Format,
        began: datetime,
        allowance: Allowance,
    ) -> None:
        """Begin one; nothing is on the disk before something is written.

        Args:
            locate: Tells where the file is, its folder made.
            form: What it looks like.
            began: When the transcript began.
            allowance: What the meeting may still write.
        """
        self._file = AppendedFile(locate)
        self._format = form
        self._began = began
        self._allowance = allowance
        self._timeline = Timeline()
        self._waiting: deque[Cue] = deque()
        self._written = 0
        self.lost = 0
        """Cues that waited too long."""

    @property
    def is_behind(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._waiting)

    def take(self, entry: Entry) -> None:
        """Let an entry wait to be written."""
        begin_ms, end_ms = entry.begin_ms, entry.end_ms
        if self._format.is_subtitles:
            begin_ms, end_ms = self._timeline.place(begin_ms, end_ms)

        self._waiting.append(Cue(entry, begin_ms, end_ms))
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1

    def write(self) -> None:
        """Write all that waits, or nothing.

        Raises:
            OSError: It goes on waiting.
            UsedUp: It never will be written.
        """
        if not self._waiting:
            return

        self._allowance.spend(self._file.append(self._block))
        self._written += len(self._waiting)
        self._waiting.clear()

    def sync(self) -> None:
        """Have the disk keep what was written.

        Raises:
            OSError: It may not have.
        """
        self._file.sync()

    def _block(self, is_empty: bool) -> bytes:
        """What waits; a file that is empty, also because somebody removed it, is begun."""
        if is_empty and self._written:
            _logger.warning("a file of a transcript was removed, and is begun again")
            self._written = 0

        header = self._format.header(self._began) if is_empty else ""
        cues = enumerate(self._waiting, start=self._written + 1)
        block = encoded(header + "".join(self._format.block(cue, at) for at, cue in cues))
        self._allowance.check(len(block))
        return block
