"""The thread that writes: disks may be slow or hang, and the event loop must not notice."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

from palabra_agent_transcript_export.selection import TranscriptEntry
from palabra_agent_transcript_export.store import Store

OPEN_SECONDS: Final = 2.5
"""The deadline for the directory to answer; the host waits a little longer."""
CLOSE_SECONDS: Final = 0.4
"""The deadline for the end; the host waits a little longer."""
MOST_QUEUED: Final = 2_000

_logger = logging.getLogger(__name__)


class DirectoryNotWritableError(OSError):
    """Transcripts cannot be written where the worker's settings say."""


class Writer:
    """A thread of its own, a daemon: hanging on a dead disk, it does not hold up the room."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[TranscriptEntry | None] = queue.Queue(MOST_QUEUED)
        self._is_ready = threading.Event()
        self._is_stopping = threading.Event()
        self._refusal: OSError | None = None
        self._is_behind = False
        self._thread = threading.Thread(target=self._run, name="transcript-export", daemon=True)

    async def start(self, seconds: float) -> None:
        """Start, and wait until it is known whether the directory can be written.

        Raises:
            DirectoryNotWritableError: It cannot, or does not answer in time.
        """
        self._thread.start()
        if not await asyncio.to_thread(self._is_ready.wait, seconds):
            raise _refused("it does not answer")

        if self._refusal is not None:
            raise _refused(self._refusal.strerror or type(self._refusal).__name__)

    def put(self, entry: TranscriptEntry) -> None:
        """Have an entry written; never waits. One too many is lost, and that is told once."""
        self._is_behind = self._is_behind and self._queue.qsize() > MOST_QUEUED // 2
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            if not self._is_behind:
                _logger.warning("a transcript is not written as fast as people speak; words lost")
            self._is_behind = True

    async def stop(self) -> None:
        """Have the rest written and stop; the thread goes on alone where that takes too long."""
        is_open = self._is_ready.is_set() and self._refusal is None
        self._is_stopping.set()
        # the opener does not wait for it any more
        self._is_ready.set()
        with suppress(queue.Full):
            self._queue.put_nowait(None)

        await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)
        if is_open and self._thread.is_alive():
            _logger.warning("the end of a transcript may be lost: the disk does not answer")

    def _run(self) -> None:
        try:
            self._store.check()
        except OSError as error:
            self._refusal = error
        self._is_ready.set()

        if self._refusal is None:
            self._write_on()

    def _write_on(self) -> None:
        while not (self._is_stopping.is_set() and self._queue.empty()):
            self._write_next()
        self._store.catch_up(time.monotonic())
        self._store.sync()

    def _write_next(self) -> None:
        try:
            entry = self._queue.get(timeout=self._store.idle_seconds(time.monotonic()))
        except queue.Empty:
            entry = None

        if entry is None:
            self._store.catch_up(time.monotonic())
        else:
            self._store.write(entry, time.monotonic())


@asynccontextmanager
async def writing(store: Store, *, open_seconds: float = OPEN_SECONDS) -> AsyncGenerator[Writer]:
    """Have a writer, and everything written when it is left.

    Args:
        store: Where to.
        open_seconds: How long the directory may take to answer.

    Raises:
        DirectoryNotWritableError: It cannot be written, or does not answer.
    """
    writer = Writer(store)
    try:
        await writer.start(open_seconds)
        yield writer
    finally:
        await writer.stop()


def _refused(reason: str) -> DirectoryNotWritableError:
    _logger.error(
        "no transcripts: `directory` in [plugins.transcript-export] cannot be written",
        extra={"reason": reason},
    )
    return DirectoryNotWritableError(f"the directory for transcripts cannot be written: {reason}")
