"""Folders that others may change are refused, and a link that they planted leads nowhere."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from palabra_agent_transcript_export.folders import (
    MeetingFolder,
    UnsafeFolderError,
    room_folder_name,
)
from palabra_agent_transcript_export.writer import DirectoryNotWritableError

from tests.plugins.transcript_export.telling import event, files, opened

pytestmark = pytest.mark.unit

BOARD: Final = room_folder_name("board")
ROOT: Final = 0
THEIRS: Final = 54321
"""Another user of the machine."""


def folder_in(directory: Path, owner: int | None = None) -> MeetingFolder:
    """The folder of one meeting."""
    return MeetingFolder(directory, "board", datetime.now(UTC), owner=owner)


def made(directory: Path, mode: int) -> Path:
    """Make a folder of a mode, whatever the umask."""
    directory.mkdir()
    directory.chmod(mode)
    return directory


async def refusal(directory: Path) -> str:
    """Open the plugin in vain; tells why, in one sentence."""
    with pytest.raises(DirectoryNotWritableError) as caught:
        async with opened(directory):
            raise AssertionError("open")

    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720, 0o702, 0o2770, 0o1777, 0o1770])
async def test_a_directory_that_others_may_write_to_is_refused(
    tmp_path: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    """At opening, in a sentence that says what to do; with the sticky bit they can still add."""
    directory = made(tmp_path / "shared", mode)
    sentence = await refusal(directory)

    assert sentence == (
        f"the directory for transcripts cannot be written: {directory} may be written to by "
        'others; "chmod go-w" ends that'
    )
    assert list(directory.iterdir()) == []
    [record] = caplog.records
    assert (record.levelno, vars(record)["reason"]) == (logging.ERROR, sentence.partition(": ")[2])


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o755])
async def test_a_directory_that_others_may_read_is_the_operators_choice(
    tmp_path: Path, mode: int
) -> None:
    """What is in it is the worker's alone all the same."""
    directory = made(tmp_path / "transcripts", mode)
    async with opened(directory) as export:
        await export.on_transcript(event())

    assert len(files(directory)) == 3


@pytest.mark.parametrize("mode", [0o770, 0o777])
async def test_a_directory_below_one_that_others_may_write_to_is_refused(
    tmp_path: Path, mode: int
) -> None:
    """They could put another in its place, however well it is kept itself."""
    shared = made(tmp_path / "shared", mode)
    directory = made(shared / "transcripts", 0o700)

    reason = f"{shared} may be written to by others, who could replace {directory}"
    assert reason in await refusal(directory)


async def test_a_directory_below_a_sticky_one_is_taken(tmp_path: Path) -> None:
    """As in /tmp, where no one else can take it away; those that are missing are made private."""
    shared = made(tmp_path / "tmp", 0o1777)
    async with opened(shared / "made" / "transcripts") as export:
        await export.on_transcript(event())

    folders = [shared / "made", shared / "made" / "transcripts"]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700, 0o700]


async def test_a_link_of_the_operators_is_followed(tmp_path: Path) -> None:
    """The directory may be on another disk."""
    disk = made(tmp_path / "disk", 0o700)
    (tmp_path / "link").symlink_to("disk")
    (tmp_path / "transcripts").symlink_to(tmp_path / "link")
    async with opened(tmp_path / "transcripts") as export:
        await export.on_transcript(event())

    assert len(files(disk)) == 3


async def test_the_way_of_a_link_is_looked_at_too(tmp_path: Path) -> None:
    """The one who may replace a link on the way leads us where they like."""
    made(tmp_path / "disk", 0o700)
    shared = made(tmp_path / "shared", 0o777)
    (shared / "link").symlink_to("../disk")
    (tmp_path / "transcripts").symlink_to(shared / "link")

    assert f"{shared} may be written to by others" in await refusal(tmp_path / "transcripts")


async def test_links_in_a_circle_lead_nowhere(tmp_path: Path) -> None:
    """And are refused like any directory that cannot be."""
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    assert "cannot be written" in await refusal(tmp_path / "one")


PLANTED: Final[dict[str, Callable[[Path, Path], object]]] = {
    "a link": lambda place, elsewhere: place.symlink_to(elsewhere),
    "a folder that others may write to": lambda place, _: made(place, 0o777),
    "a file": lambda place, _: place.write_text("in the way"),
}


@pytest.mark.parametrize("what", PLANTED)
async def test_what_was_planted_in_the_place_of_a_rooms_folder_is_refused(
    tmp_path: Path, what: str
) -> None:
    """At opening; the name of a room's folder can be known before."""
    elsewhere = made(tmp_path / "elsewhere", 0o700)
    directory = made(tmp_path / "transcripts", 0o700)
    PLANTED[what](directory / BOARD, elsewhere)

    assert "cannot be written" in await refusal(directory)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("what", PLANTED)
def test_what_is_planted_in_a_meeting_is_not_written_to(tmp_path: Path, what: str) -> None:
    """In the place of the room's folder, and of the meeting's once that is gone."""
    elsewhere, directory = made(tmp_path / "elsewhere", 0o700), tmp_path / "transcripts"
    folder = folder_in(directory)
    folder.check()
    PLANTED[what](directory / BOARD, elsewhere)
    with pytest.raises(OSError, match=r"Not a directory|others"):
        folder.make()

    assert list(elsewhere.iterdir()) == []
    (directory / BOARD).rename(tmp_path / "away")
    meeting = folder.make()
    meeting.rmdir()
    PLANTED[what](meeting, elsewhere)
    with pytest.raises(OSError, match=r"Not a directory|others"):
        folder.make()

    assert list(elsewhere.iterdir()) == []


def of_another_user(folder: Path) -> int:
    """Have a folder belong to another user than the one who is returned: the worker's."""
    if os.geteuid() != ROOT:
        return THEIRS

    os.chown(folder, THEIRS, THEIRS)
    return ROOT


def test_folders_of_another_user_are_refused(tmp_path: Path) -> None:
    """The directory, and a room's folder in it, whatever their modes."""
    directory = made(tmp_path / "transcripts", 0o700)
    room = made(directory / BOARD, 0o700)
    for folder in room, directory:
        owner = of_another_user(folder)
        with pytest.raises(UnsafeFolderError, match=r"belongs to another user than the worker's"):
            folder_in(directory, owner).check()


def test_what_another_user_put_into_a_sticky_folder_is_refused(tmp_path: Path) -> None:
    """As in /tmp, where everyone may make a folder, or a link to one."""
    planted = made(made(tmp_path / "tmp", 0o1777) / "planted", 0o755)
    owner = of_another_user(planted)
    with pytest.raises(UnsafeFolderError, match=r"who could replace"):
        folder_in(planted / "transcripts", owner).check()
