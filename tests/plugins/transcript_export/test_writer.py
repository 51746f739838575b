"""The writing thread: the event loop never waits for it, and nobody's end does for long."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from palabra_agent_transcript_export.files import Allowance
from palabra_agent_transcript_export.folders import MeetingFolder
from palabra_agent_transcript_export.selection import TranscriptEntry
from palabra_agent_transcript_export.store import Store
from palabra_agent_transcript_export.writer import (
    MOST_QUEUED,
    DirectoryNotWritableError,
    writing,
)

from tests.clock import HANG_SECONDS, eventually
from tests.plugins.transcript_export.reading import read_lines
from tests.plugins.transcript_export.telling import event, no_thread, only_folder, opened
from tests.plugins.transcript_export.test_disk import entry

pytestmark = pytest.mark.unit


class HangingStore(Store):
    """A disk that does not answer until it is let go."""

    def __init__(self, directory: Path, *, hangs_at_once: bool = False) -> None:
        began = datetime.now(UTC)
        super().__init__(MeetingFolder(directory, "board", began), ("jsonl",), began, Allowance(9))
        self.let_go = threading.Event()
        self._hangs_at_once = hangs_at_once

    def check(self) -> None:
        """Hang, if that is wanted."""
        if self._hangs_at_once:
            self.let_go.wait(HANG_SECONDS)

    def write(self, entry: TranscriptEntry, now: float) -> None:
        """Hang before every entry."""
        self.let_go.wait(HANG_SECONDS)
        super().write(entry, now)


async def test_a_hanging_disk_holds_up_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Words are taken at once, the surplus is dropped and told once, and the end comes in time."""
    store = HangingStore(tmp_path)
    words = entry("secret")
    began = time.monotonic()
    async with writing(store) as writer:
        for _ in range(MOST_QUEUED + 100):
            writer.put(words)

    assert time.monotonic() - began < HANG_SECONDS / 2
    store.let_go.set()
    await eventually(no_thread)
    assert [record.getMessage() for record in caplog.records] == [
        "a transcript is not written as fast as people speak; words lost",
        "the end of a transcript may be lost: the disk does not answer",
    ]
    assert len(read_lines(only_folder(tmp_path) / "transcript.jsonl")) >= MOST_QUEUED


async def test_a_directory_that_does_not_answer_is_refused() -> None:
    """Opening takes no longer than the host has patience."""
    store = HangingStore(Path("/nowhere"), hangs_at_once=True)
    try:
        with pytest.raises(DirectoryNotWritableError, match="it does not answer"):
            async with writing(store, open_seconds=0.05):
                raise AssertionError("open")
    finally:
        store.let_go.set()


async def test_a_cancelled_opening_leaves_no_thread(tmp_path: Path) -> None:
    """Whoever gives up waiting for a disk has nothing to clear away."""
    store = HangingStore(tmp_path, hangs_at_once=True)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), writing(store):
            raise AssertionError("open")

    store.let_go.set()
    await eventually(no_thread)


async def test_all_is_written_when_it_is_left(tmp_path: Path) -> None:
    """What was told last is on the disk when the room has ended."""
    async with opened(tmp_path, {"formats": ["jsonl"]}) as export:
        for number in range(200):
            await export.on_transcript(event(f"words {number}"))

    lines = read_lines(only_folder(tmp_path) / "transcript.jsonl")
    assert [line["text"] for line in lines] == [f"words {number}" for number in range(200)]
    assert no_thread()
