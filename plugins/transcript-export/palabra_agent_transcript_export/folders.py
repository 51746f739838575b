"""Folders of transcripts: the operator's, a room's and a meeting's, which no one else may change.

A user who may write into a folder can put a link in the place of what is about to be made there, or
take away what is there. So the way to the operator's folder is looked at, link by link, when a
transcript is opened, and the folders in it whenever they are used.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

_LONGEST_LABEL: Final = 48
_MOST_MEETINGS: Final = 1_000
_OWN: Final = 0o700
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS: Final = 40
_ROOT: Final = 0


class UnsafeFolderError(PermissionError):
    """A folder in which others than the worker's user could change transcripts."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(errno.EPERM, f"{folder} {reason}")


def room_folder_name(room: str) -> str:
    """Name a room's folder: what is harmless of its name, and a mark of the whole of it."""
    plain = unicodedata.normalize("NFKD", room).encode("ascii", "ignore").decode()
    label = re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_LONGEST_LABEL].strip("-_") or "room"
    mark = sha256(room.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{label}-{mark}"


class MeetingFolder:
    """The folder of one meeting: made with its first words, and shared with no other."""

    def __init__(
        self, directory: Path, room: str, began: datetime, *, owner: int | None = None
    ) -> None:
        """Know where it is to be.

        Args:
            directory: The operator's.
            room: The room's name.
            began: When its transcript began.
            owner: The user whom folders must belong to; the worker's by default.
        """
        self._owner = os.geteuid() if owner is None else owner
        self._directory = directory
        self._room = directory / room_folder_name(room)
        self._moment = began.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        self._path: Path | None = None

    def check(self) -> None:
        """See that transcripts can be written, before there are any; make the directory.

        Raises:
            OSError: They cannot.
        """
        _make_directory(self._directory)
        owners = {self._owner, _ROOT}
        _check_own(_check_way(self._directory, owners), owners)
        with suppress(FileNotFoundError):
            _check_own(self._room, {self._owner})
        if not os.access(self._directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def make(self) -> Path:
        """Make the folder; once it is made, again where it was removed.

        The directory itself is not made again: a disk that was unmounted must not be mistaken for
        an empty one.

        Raises:
            OSError: It cannot be made.
        """
        self._make_own(self._room)
        if self._path is None:
            self._path = self._make_new()
        else:
            self._make_own(self._path)

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

    def _make_own(self, folder: Path) -> None:
        """Make a folder where it is not there; what is there must be the worker's alone."""
        with suppress(FileExistsError):
            folder.mkdir(mode=_OWN)
        _check_own(folder, {self._owner})

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


def _make_directory(directory: Path) -> None:
    """Make the operator's directory where it is not there, for the worker's user alone.

    Raises:
        OSError: It cannot be made.
    """
    missing: list[Path] = []
    while not directory.exists():
        missing.append(directory)
        directory = directory.parent

    for folder in reversed(missing):
        # another worker may be making it as well
        folder.mkdir(mode=_OWN, exist_ok=True)


def _check_way(directory: Path, owners: Collection[int]) -> Path:
    """See that no one else can put another folder in the place of this one; tell where it is.

    Raises:
        UnsafeFolderError: Others can.
        OSError: It is not there, or is no folder.
    """
    at, rest, links = Path("/"), deque(directory.parts[1:]), 0
    while rest:
        above, name = os.lstat(at), rest.popleft()
        step = at.parent if name == ".." else at / name
        found = os.lstat(step)
        is_ours = found.st_uid in owners
        if above.st_mode & _OTHERS_WRITE and not (above.st_mode & stat.S_ISVTX and is_ours):
            raise UnsafeFolderError(at, f"may be written to by others, who could replace {step}")

        if not stat.S_ISLNK(found.st_mode):
            at = step
            continue

        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

        target = step.readlink()
        rest.extendleft(reversed(target.parts[1:] if target.is_absolute() else target.parts))
        at = Path("/") if target.is_absolute() else at

    return at


def _check_own(folder: Path, owners: Collection[int]) -> None:
    """See that a folder is one, no link to one, and that no one else may change what is in it.

    Raises:
        UnsafeFolderError: Others may.
        NotADirectoryError: It is no folder.
    """
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    if found.st_uid not in owners:
        raise UnsafeFolderError(folder, "belongs to another user than the worker's")
    if found.st_mode & _OTHERS_WRITE:
        raise UnsafeFolderError(folder, 'may be written to by others; "chmod go-w" ends that')
