"""Files of one meeting: whole blocks at their ends, and a limit for all together."""

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from palabra_agent.plugin import LanguageCode
from palabra_agent_transcript_export.formats import Cue, Format, Timeline, encoded
from palabra_agent_transcript_export.selection import TranscriptEntry

_MEGABYTE = 1_000_000

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_FOR_ITS_OWNER_ALONE: Final = 0o600

MOST_WAITING: Final = 1_000
"""Cues that wait while the disk refuses; then the oldest are lost."""

_logger = logging.getLogger(__name__)


class UsedUp(Exception):
    """The meeting has written as much as it may."""


class Allowance:
    """A number of bytes for all files of a meeting together."""

    def __init__(self, megabytes: float) -> None:
        self._left = int(megabytes * _MEGABYTE)

    def check(self, size: int) -> None:
        """See whether so much may still be written.

        Raises:
            UsedUp: It may not.
        """
        if size > self._left:
            raise UsedUp

    def spend(self, size: int) -> None:
        """Take note of what was written."""
        self._left -= size


class AppendedFile:
    """Opened for each block anew, so that a file which was removed is begun again."""

    def __init__(self, locate: Callable[[], Path]) -> None:
        """Begin with nothing.

        Args:
            locate: Tells where the file is, its folder made.
        """
        self._locate = locate
        self._length = 0
        """Bytes in whole blocks; more than that is half a block."""
        self._is_synced = True

    def append(self, block: Callable[[bool], bytes]) -> int:
        """Write a block at the end, and tell its length.

        Args:
            block: Makes it, told whether the file is empty.

        Raises:
            OSError: Nothing was written, or it is cut off at the next block.
        """
        descriptor = _open_own(self._locate(), _FLAGS)
        try:
            self._length = min(self._length, os.fstat(descriptor).st_size)
            os.ftruncate(descriptor, self._length)
            return self._write(descriptor, block(self._length == 0))
        finally:
            os.close(descriptor)

    def rewrite_end(self, block: bytes) -> None:
        """Write a block over the end, which is as long; nothing where the end is gone.

        Raises:
            OSError: It may be half written: only what differs from the end is in doubt.
        """
        try:
            descriptor = _open_own(self._locate(), _FLAGS & ~os.O_CREAT)
        except FileNotFoundError:
            return

        try:
            if os.fstat(descriptor).st_size >= self._length:
                os.pwrite(descriptor, block, self._length - len(block))
        finally:
            os.close(descriptor)
        self._is_synced = False

    def sync(self) -> None:
        """Have the disk keep what was written, through a power cut too.

        Raises:
            OSError: It may not have.
        """
        if self._is_synced:
            return

        descriptor = _open_own(self._locate(), _FLAGS & ~os.O_CREAT)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._is_synced = True

    def _write(self, descriptor: int, block: bytes) -> int:
        written = 0
        try:
            while written < len(block):
                written += os.pwrite(descriptor, block[written:], self._length + written)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, self._length)
            raise

        self._length += written
        self._is_synced = False
        return written


def _open_own(path: Path, flags: int) -> int:
    """Open a file that is ours alone: no link of either kind, and no pipe.

    Raises:
        OSError: It cannot be opened, or is something else.
    """
    descriptor = os.open(path, flags, _FOR_ITS_OWNER_ALONE)
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid():
        return descriptor

    os.close(descriptor)
    raise PermissionError(errno.EPERM, "a file of a transcript is not the worker's own")


def subtitles_name(language: LanguageCode, suffix: str) -> str:
    """Name a language's file."""
    return f"{re.sub(r'[^a-z0-9-]', '', language)[:35] or 'und'}.{suffix}"


@dataclass(slots=True)
class _LastCue:
    """The cue at the end of a file."""

    cue: Cue
    number: int
    size: int
    """In bytes."""
    is_outdated: bool = False
    """True where the file still shows it for longer."""


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
        self._last: _LastCue | None = None
        self._written = 0
        self.lost = 0
        """Cues that waited too long."""

    @property
    def is_behind(self) -> bool:
        """True where something waits to be written."""
        return bool(self._waiting)

    def take(self, entry: TranscriptEntry) -> None:
        """Let an entry wait to be written."""
        begin_ms, end_ms = entry.begin_ms, entry.end_ms
        if self._format.is_subtitles:
            begin_ms, end_ms = self._timeline.place(begin_ms, end_ms, entry.event.text)
            self._end_cue_before(begin_ms)

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

        self._correct_last()
        self._allowance.spend(self._file.append(self._block))
        self._written += len(self._waiting)
        self._last = self._cue_written_last()
        self._waiting.clear()

    def sync(self) -> None:
        """Have the disk keep what was written.

        Raises:
            OSError: It may not have.
        """
        self._file.sync()

    def _end_cue_before(self, moment_ms: int) -> None:
        """Let the newest cue give way to another, which begins then."""
        if self._waiting:
            newest = self._waiting[-1]
            self._waiting[-1] = replace(newest, end_ms=min(newest.end_ms, moment_ms))
        elif self._last is not None and self._last.cue.end_ms > moment_ms:
            self._last.cue = replace(self._last.cue, end_ms=moment_ms)
            self._last.is_outdated = True

    def _correct_last(self) -> None:
        """Write the last cue's end anew, where it was to stay longer than it does."""
        last = self._last
        if last is None or not last.is_outdated:
            return

        block = encoded(self._format.block(last.cue, last.number))
        # hours have more digits after the hundredth
        if len(block) == last.size:
            self._file.rewrite_end(block)
        last.is_outdated = False

    def _cue_written_last(self) -> _LastCue:
        cue, number = self._waiting[-1], self._written
        return _LastCue(cue, number, len(encoded(self._format.block(cue, number))))

    def _block(self, is_empty: bool) -> bytes:
        """Make a block of what waits; a file that is empty, or was removed, is begun."""
        if is_empty and self._written:
            _logger.warning("a file of a transcript was removed, and is begun again")
            self._written = 0

        header = self._format.header(self._began) if is_empty else ""
        cues = enumerate(self._waiting, start=self._written + 1)
        block = encoded(header + "".join(self._format.block(cue, at) for at, cue in cues))
        self._allowance.check(len(block))
        return block
