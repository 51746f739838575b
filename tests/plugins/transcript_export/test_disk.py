"""Disks: what is on them after crashes and failures, who may read it, and what the log says."""

from __future__ import annotations

import errno
import logging
import os
import resource
import shutil
import stat
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from palabra_agent_transcript_export.files import (
    MOST_WAITING,
    Allowance,
    AppendedFile,
)
from palabra_agent_transcript_export.folders import MeetingFolder, room_folder_name
from palabra_agent_transcript_export.selection import Selection, SpeakerNames, TranscriptEntry
from palabra_agent_transcript_export.store import SYNC_SECONDS, Store
from palabra_agent_transcript_export.writer import DirectoryNotWritableError

from tests.clock import HANG_SECONDS
from tests.plugins.transcript_export.reading import read_lines, read_srt, read_vtt
from tests.plugins.transcript_export.telling import (
    EN,
    event,
    files,
    meetings,
    names_in,
    only_folder,
    opened,
    read,
)

pytestmark = pytest.mark.unit

LOGGER = "palabra_agent_transcript_export"


def entry(text: str) -> TranscriptEntry:
    """Final English words."""
    selection = Selection(read({}), (EN,), datetime.now(UTC), SpeakerNames(by_name=False))
    made = selection.entry(event(text))
    assert made is not None
    return made


def store_in(directory: Path, *, megabytes: float = 100.0) -> Store:
    """A store for one meeting."""
    began = datetime.now(UTC)
    folder = MeetingFolder(directory, "board", began)
    return Store(folder, ("jsonl", "vtt", "srt"), began, Allowance(megabytes))


def texts(directory: Path) -> list[list[str]]:
    """What each format has, read strictly."""
    folder = only_folder(directory)
    return [
        [line["text"] for line in read_lines(folder / "transcript.jsonl")],
        [cue.text for cue in read_vtt(folder / "en.vtt")],
        [cue.text for cue in read_srt(folder / "en.srt")],
    ]


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged; no word of what was said is in it."""
    assert "secret" not in "".join(str(vars(record)) for record in caplog.records)
    return [record.getMessage() for record in caplog.records]


@contextmanager
def largest_file(size: int) -> Generator[None]:
    """Let no file of this process grow beyond a size: a write stops in the middle."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


CRASHING = """
import asyncio, os, signal, sys, time
from pathlib import Path
from tests.plugins.transcript_export.telling import event, opened

async def crash(directory):
    async with opened(directory) as export:
        for number in range(40):
            await export.on_transcript(event(f"words {number}"))
        while sum(path.read_bytes().count(b"words 39") for path in directory.glob("*/*/*")) < 3:
            await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(crash(Path(sys.argv[1])))
"""


def test_a_crash_loses_nothing(tmp_path: Path) -> None:
    """Of a process that was killed, everything that was final is in whole files."""
    crashed = subprocess.run(
        [sys.executable, "-c", CRASHING, str(tmp_path)], check=False, timeout=HANG_SECONDS
    )

    assert crashed.returncode < 0
    assert texts(tmp_path) == [[f"words {number}" for number in range(40)]] * 3


async def test_each_opening_begins_anew(tmp_path: Path) -> None:
    """A room that is opened again leaves alone what was written before, half lines included."""
    async with opened(tmp_path) as export:
        await export.on_transcript(event("before"))
    first = only_folder(tmp_path)
    torn = (first / "transcript.jsonl").read_bytes()[:-20]
    (first / "transcript.jsonl").write_bytes(torn)

    async with opened(tmp_path) as export:
        await export.on_transcript(event("after"))

    assert (first / "transcript.jsonl").read_bytes() == torn
    (second,) = set(meetings(tmp_path)) - {first}
    assert [line["text"] for line in read_lines(second / "transcript.jsonl")] == ["after"]


def test_two_of_the_same_second_share_nothing(tmp_path: Path) -> None:
    """Whoever opens a room at the same moment gets a folder of their own."""
    began = datetime.now(UTC)
    folders = {MeetingFolder(tmp_path, "board", began).make() for _ in range(3)}

    assert len(folders) == 3
    assert {folder.parent for folder in folders} == {tmp_path / room_folder_name("board")}


async def test_transcripts_are_private(tmp_path: Path) -> None:
    """Folders that we make are their owner's alone, and so are all files."""
    directory = tmp_path / "made" / "here"
    async with opened(directory) as export:
        await export.on_transcript(event())

    made = [directory, *directory.rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(p.stat().st_mode) for p in made if p.is_file()} == {0o600}


async def test_a_directory_that_cannot_be_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The plugin does not open, and the log says what the operator has to look at."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DirectoryNotWritableError, match="Not a directory"):
        async with opened(tmp_path / "file" / "transcripts"):
            raise AssertionError("open")

    assert messages(caplog) == [
        "no transcripts: `directory` in [plugins.transcript-export] cannot be written"
    ]
    assert vars(caplog.records[0])["reason"] == os.strerror(errno.ENOTDIR)


def test_a_failing_file_harms_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be written waits, the rest is written; told once, and once when it works."""
    caplog.set_level(logging.INFO, LOGGER)
    store = store_in(tmp_path)
    store.write(entry("secret 1"), now=0)
    folder = only_folder(tmp_path)
    (folder / "en.vtt").unlink()
    (folder / "en.vtt").mkdir()
    for number in (2, 3):
        store.write(entry(f"secret {number}"), now=number)
    assert len(read_srt(folder / "en.srt")) == 3
    assert store.idle_seconds(now=3) is not None

    (folder / "en.vtt").rmdir()
    store.catch_up(now=4)

    assert [cue.text for cue in read_vtt(folder / "en.vtt")] == ["secret 2", "secret 3"]
    assert messages(caplog) == [
        "a transcript cannot be written; trying on",
        "a file of a transcript was removed, and is begun again",
        "a transcript is written again",
    ]
    assert vars(caplog.records[0])["reason"] == os.strerror(errno.EISDIR)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A write that stops in the middle is undone, and what waits is written when there is room."""
    caplog.set_level(logging.INFO, LOGGER)
    store = store_in(tmp_path)
    store.write(entry("secret 1"), now=0)
    with largest_file(400):
        for number in (2, 3, 4):
            store.write(entry(f"secret {number} {'x' * 300}"), now=number)
        assert all(len(read) == 1 for read in texts(tmp_path))

    store.catch_up(now=5)

    assert [len(read) for read in texts(tmp_path)] == [4, 4, 4]
    assert messages(caplog) == [
        "a transcript cannot be written; trying on",
        "a transcript is written again",
    ]


def test_what_waits_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of very much that cannot be written the oldest is lost, and counted."""
    caplog.set_level(logging.INFO, LOGGER)
    (tmp_path / room_folder_name("board")).write_text("in the way")
    store = store_in(tmp_path)
    for number in range(MOST_WAITING + 10):
        store.write(entry(f"secret {number}"), now=number)

    (tmp_path / room_folder_name("board")).unlink()
    store.catch_up(now=10_000)

    assert [(len(read), read[0]) for read in texts(tmp_path)] == [(MOST_WAITING, "secret 10")] * 3
    assert messages(caplog)[-1] == "a transcript is written again"
    assert vars(caplog.records[-1])["lost_cues"] == 30


def test_a_half_block_of_a_crashed_write_is_cut_off(tmp_path: Path) -> None:
    """Only whole blocks count, whatever else got into the file."""
    path = tmp_path / "file"
    file = AppendedFile(lambda: path)
    file.append(lambda is_empty: b"one\n" if is_empty else b"")
    path.write_bytes(path.read_bytes() + b"half of tw")
    file.append(lambda is_empty: b"" if is_empty else b"two\n")

    assert path.read_bytes() == b"one\ntwo\n"


def test_a_removed_folder_is_made_again(tmp_path: Path) -> None:
    """A meeting goes on in a folder of the same name, with whole files."""
    store = store_in(tmp_path)
    store.write(entry("before"), now=0)
    folder = only_folder(tmp_path)
    shutil.rmtree(folder.parent)
    store.write(entry("after"), now=1)

    assert only_folder(tmp_path) == folder
    assert texts(tmp_path) == [["after"]] * 3


def test_a_vanished_directory_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is gone is not replaced by an empty folder; what was said waits for it."""
    directory, away = tmp_path / "disk", tmp_path / "away"
    directory.mkdir()
    store = store_in(directory)
    store.write(entry("secret 1"), now=0)
    directory.rename(away)
    store.write(entry("secret 2"), now=SYNC_SECONDS + 1)
    assert not directory.exists()

    away.rename(directory)
    store.catch_up(now=SYNC_SECONDS + 2)
    store.sync()

    assert texts(directory) == [["secret 1", "secret 2"]] * 3
    assert messages(caplog)[0] == "a transcript cannot be written; trying on"


@pytest.mark.parametrize("plant", ["symlink_to", "hardlink_to"])
@pytest.mark.parametrize("step", ["append", "rewrite_end", "sync"])
def test_a_link_in_the_place_of_a_file_is_not_followed(
    tmp_path: Path, plant: str, step: str
) -> None:
    """No link of either kind makes us write elsewhere, before the first words and after them."""
    (tmp_path / "elsewhere").write_text("theirs")
    file = AppendedFile(lambda: tmp_path / "file")
    if step != "append":
        file.append(lambda _: b"ours")
        (tmp_path / "file").unlink()
    getattr(tmp_path / "file", plant)(tmp_path / "elsewhere")
    steps = {
        "append": lambda: file.append(lambda _: b"ours"),
        "rewrite_end": lambda: file.rewrite_end(b"urso"),
        "sync": file.sync,
    }
    with pytest.raises(OSError, match=f"{os.strerror(errno.ELOOP)}|not the worker's own"):
        steps[step]()

    assert (tmp_path / "elsewhere").read_text() == "theirs"


def test_a_pipe_in_the_place_of_a_file_is_not_written_to(tmp_path: Path) -> None:
    """Whoever reads from it would read along."""
    os.mkfifo(tmp_path / "file")
    with pytest.raises(PermissionError, match="not the worker's own"):
        AppendedFile(lambda: tmp_path / "file").append(lambda _: b"ours")


def test_a_meeting_writes_no_more_than_it_may(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Beyond its megabytes a transcript ends, whole, and that is told once."""
    store = store_in(tmp_path, megabytes=0.002)
    for number in range(50):
        store.write(entry(f"secret {number}"), now=number)

    size = sum(path.stat().st_size for path in only_folder(tmp_path).iterdir())
    assert 1_000 < size <= 2_000
    assert all(0 < len(read) < 10 for read in texts(tmp_path))
    assert messages(caplog) == ["a transcript ends here: it has as many megabytes as it may have"]
    assert store.idle_seconds(now=100) is None


def test_the_disk_is_made_to_keep_it_every_few_seconds(tmp_path: Path) -> None:
    """After words something is due within five seconds, and nothing after that."""
    store = store_in(tmp_path)
    assert store.idle_seconds(now=1) is None
    store.write(entry("x"), now=1)
    store.write(entry("y"), now=3)
    assert store.idle_seconds(now=3) == SYNC_SECONDS - 2

    store.catch_up(now=1 + SYNC_SECONDS)

    assert store.idle_seconds(now=1 + SYNC_SECONDS) is None


ROOMS = ["../../etc", "/", "", ".", "..", "CON", "a" * 5_000, "комната", "会議", "a\0b", "Á/b\\c"]


@pytest.mark.parametrize("room", ROOMS)
async def test_no_name_of_a_room_leads_anywhere_else(tmp_path: Path, room: str) -> None:
    """Whatever a room is called, its transcript is two folders below the directory."""
    directory = tmp_path / "transcripts"
    async with opened(directory, room=room) as export:
        await export.on_transcript(event())

    assert len(files(directory)) == 3
    assert names_in(tmp_path) == ["transcripts"]
    assert len(room_folder_name(room).encode()) < 80


def test_different_rooms_have_different_folders() -> None:
    """Also where what is harmless of their names is the same."""
    names = {room_folder_name(room) for room in [*ROOMS, "a/b", "a-b", "a b", "A-b", "room"]}
    assert len(names) == len(ROOMS) + 5
    assert len({name.casefold() for name in names}) == len(names)
