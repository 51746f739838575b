"""All files of one meeting: written, tried again, and kept by the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from palabra_agent_transcript_export.config import FormatName
from palabra_agent_transcript_export.files import (
    Allowance,
    TranscriptFile,
    UsedUp,
    subtitles_name,
)
from palabra_agent_transcript_export.folders import MeetingFolder
from palabra_agent_transcript_export.formats import FORMATS
from palabra_agent_transcript_export.selection import TranscriptEntry

SYNC_SECONDS: Final = 5.0
"""The most that a power cut may cost; a crash of the worker costs nothing."""
RETRY_SECONDS: Final = 1.0
EVERYTHING: Final = "transcript.jsonl"

_logger = logging.getLogger(__name__)


class Store:
    """Writes entries, and goes on trying where it cannot. Times in seconds, of any clock."""

    def __init__(
        self,
        folder: MeetingFolder,
        formats: tuple[FormatName, ...],
        began: datetime,
        allowance: Allowance,
    ) -> None:
        self._folder = folder
        self._formats = formats
        self._began = began
        self._allowance = allowance
        self._files: dict[str, TranscriptFile] = {}
        self._sync_at: float | None = None
        self._write_trouble: OSError | None = None
        self._sync_trouble: OSError | None = None
        self._is_failing = False
        self._is_full = False

    def check(self) -> None:
        """See that transcripts can be written, before there are any.

        Raises:
            OSError: They cannot.
        """
        self._folder.check()

    def write(self, entry: TranscriptEntry, now: float) -> None:
        """Write an entry into every file that it belongs in."""
        if self._is_full:
            return

        for file in self._files_for(entry):
            file.take(entry)
        self.catch_up(now)

    def catch_up(self, now: float) -> None:
        """Write what waits, and have the disk keep it when that is due."""
        if any(file.is_behind for file in self._files.values()):
            self._write_trouble = self._try_each(TranscriptFile.write)
            self._sync_at = None if self._is_full else self._sync_at or now + SYNC_SECONDS

        if self._sync_at is not None and now >= self._sync_at:
            self.sync()
        self._tell()

    def sync(self) -> None:
        """Have the disk keep what was written."""
        self._sync_at = None
        self._sync_trouble = self._try_each(TranscriptFile.sync)
        with suppress(OSError):
            self._folder.sync()
        self._tell()

    def idle_seconds(self, now: float) -> float | None:
        """Give the time in which nothing needs to be done unless words come; None: no limit."""
        if any(file.is_behind for file in self._files.values()):
            return RETRY_SECONDS

        return None if self._sync_at is None else max(self._sync_at - now, 0.0)

    def _files_for(self, entry: TranscriptEntry) -> Iterator[TranscriptFile]:
        for name in self._formats:
            is_subtitles = FORMATS[name].is_subtitles
            file_name = subtitles_name(entry.language, name) if is_subtitles else EVERYTHING
            if file_name not in self._files:
                self._files[file_name] = TranscriptFile(
                    partial(self._path, file_name), FORMATS[name], self._began, self._allowance
                )
            yield self._files[file_name]

    def _path(self, file_name: str) -> Path:
        return self._folder.make() / file_name

    def _try_each(self, step: Callable[[TranscriptFile], None]) -> OSError | None:
        """Take a step with every file, whatever fails with others; the last failure."""
        trouble: OSError | None = None
        for file in list(self._files.values()):
            try:
                step(file)
            except OSError as error:
                trouble = error
            except UsedUp:
                self._stop()
                return trouble

        return trouble

    def _stop(self) -> None:
        self._is_full = True
        self.sync()
        self._files.clear()
        _logger.warning("a transcript ends here: it has as many megabytes as it may have")

    def _tell(self) -> None:
        """Say once that something fails, and once that it works again; never what was said."""
        trouble = self._write_trouble or self._sync_trouble
        if trouble is not None and not self._is_failing:
            reason = trouble.strerror or type(trouble).__name__
            _logger.warning("a transcript cannot be written; trying on", extra={"reason": reason})
        elif trouble is None and self._is_failing:
            lost = sum(file.lost for file in self._files.values())
            _logger.info("a transcript is written again", extra={"lost_cues": lost})

        self._is_failing = trouble is not None
