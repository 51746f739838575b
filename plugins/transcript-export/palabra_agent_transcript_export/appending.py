"""A file that only grows by whole blocks: what a failed write left behind is cut off again."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_FOR_ITS_OWNER_ALONE: Final = 0o600


class AppendedFile:
    """Opened for each block anew, so that a file which somebody removed is begun again."""

    def __init__(self, locate: Callable[[], Path]) -> None:
        """Begin with nothing.

        Args:
            locate: Tells where the file is, its folder made.
        """
        self._locate = locate
        self._length = 0
        """What is whole; more than that is half a block."""
        self._is_synced = True

    def append(self, block: Callable[[bool], bytes]) -> int:
        """Write a block at the end, and tell its length.

        Args:
            block: Makes it, told whether the file is empty.

        Raises:
            OSError: Nothing was written, or it is cut off at the next block.
        """
        descriptor = os.open(self._locate(), _FLAGS, _FOR_ITS_OWNER_ALONE)
        try:
            self._length = min(self._length, os.fstat(descriptor).st_size)
            os.ftruncate(descriptor, self._length)
            return self._write(descriptor, block(self._length == 0))
        finally:
            os.close(descriptor)

    def sync(self) -> None:
        """Have the disk keep what was written, through a power cut too.

        Raises:
            OSError: It may not have.
        """
        if self._is_synced:
            return

        descriptor = os.open(self._locate(), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
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
