"""The journal: every REST call, command and session event with its time, for tests to read."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

_CAPACITY: Final = 50_000


class JournalWriter(Protocol):
    """Writes an event of one session into the journal."""

    def __call__(self, event: str, /, **data: object) -> None:
        """Write it down."""
        ...


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One thing that happened."""

    time: float
    """Epoch seconds."""
    session: str | None
    """The session's id, where it is about one."""
    event: str
    data: dict[str, object]


class Journal:
    """The entries, oldest first; bounded, the oldest are forgotten."""

    def __init__(self) -> None:
        self._entries: deque[JournalEntry] = deque(maxlen=_CAPACITY)

    def add(self, session: str | None, event: str, **data: object) -> None:
        """Write down that something has just happened."""
        self._entries.append(JournalEntry(time.time(), session, event, data))

    def entries(self) -> list[JournalEntry]:
        """The entries that are remembered."""
        return list(self._entries)

    def lines(self) -> Iterator[str]:
        """One JSON object per entry, in ASCII: clients may say what is no text."""
        for entry in self._entries:
            yield json.dumps(
                {
                    "time": entry.time,
                    "session": entry.session,
                    "event": entry.event,
                    "data": entry.data,
                }
            )
