"""Where a meeting's files are: folder names that no room's name can bend, and no two share."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from palabra_agent.plugin import LanguageCode

_LONGEST_LABEL: Final = 48
_MOST_MEETINGS: Final = 1_000
_OWN: Final = 0o700


def room_folder_name(room: str) -> str:
    """Name a room's folder: what is harmless of its name, and a mark of the whole of it."""
    plain = unicodedata.normalize("NFKD", room).encode("ascii", "ignore").decode()
    label = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_LONGEST_LABEL].strip("-_") or "room"
    mark = sha256(room.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{label}-{mark}"


def subtitles_name(language: LanguageCode, suffix: str) -> str:
    """Name a language's file."""
    return f"{re.sub(r'[^a-z0-9-]', '', language)[:35] or 'und'}.{suffix}"


class MeetingFolder:
    """The folder of one meeting: made with its first words, and shared with no other."""

    def __init__(self, directory: Path, room: str, began: datetime) -> None:
        self._directory = directory
        self._room = directory / room_folder_name(room)
        self._moment = began.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        self._path: Path | None = None

    def check(self) -> None:
        """See that transcripts can be written, before there are any; make the directory.

        Raises:
            OSError: They cannot.
        """
        self._directory.mkdir(mode=_OWN, parents=True, exist_ok=True)
        if not os.access(self._directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def make(self) -> Path:
        """Make the folder; once it is made, again where somebody removed it.

        The directory itself is not made again: a disk that was unmounted must not be mistaken for
        an empty one.

        Raises:
            OSError: It cannot be made.
        """
        self._room.mkdir(mode=_OWN, exist_ok=True)
        if self._path is None:
            self._path = self._make_new()
        else:
            self._path.mkdir(mode=_OWN, exist_ok=True)

        return self._path

    def sync(self) -> None:
        """Have the disk keep which files there are, and the folders on the way to them.

        Raises:
            OSError: It may not have.
        """
        if self._path is None:
            return

        for folder in (self._path, self._room, self._directory):
            _sync_folder(folder)

    def _make_new(self) -> Path:
        """Make a folder that was not there: of another worker, or of a moment ago."""
        for number in range(1, _MOST_MEETINGS):
            path = self._room / (self._moment if number == 1 else f"{self._moment}-{number}")
            try:
                path.mkdir(mode=_OWN)
            except FileExistsError:
                continue

            return path

        raise FileExistsError(f"more than {_MOST_MEETINGS} meetings began in the same second")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
