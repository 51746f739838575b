"""The transcript listener: takes what was said for good, and leaves the writing to a thread."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from palabra_agent.plugin import RoomInfo, TranscriptEvent, TranscriptListener
from palabra_agent_transcript_export.allowance import Allowance
from palabra_agent_transcript_export.config import ExportConfig, ExportSettings
from palabra_agent_transcript_export.entries import Entry
from palabra_agent_transcript_export.folders import MeetingFolder
from palabra_agent_transcript_export.selection import Selection
from palabra_agent_transcript_export.speakers import SpeakerNames
from palabra_agent_transcript_export.store import Store
from palabra_agent_transcript_export.writer import writing

_logger = logging.getLogger(__name__)


class TranscriptExport(TranscriptListener):
    """Writes down one room's transcript."""

    def __init__(self, selection: Selection, put: Callable[[Entry], None]) -> None:
        self._selection = selection
        self._put = put

    async def on_transcript(self, event: TranscriptEvent) -> None:
        """Have final words written; never waits for a disk."""
        entry = self._selection.entry(event)
        if entry is not None:
            self._put(entry)


@asynccontextmanager
async def open_export(
    room: RoomInfo[ExportSettings], config: ExportConfig
) -> AsyncGenerator[TranscriptExport]:
    """Begin a transcript; when this is left, all of it is on the disk.

    Raises:
        DirectoryNotWritableError: The operator's directory is not there and cannot be made, or
            cannot be written.
    """
    began = datetime.now(UTC)
    names = SpeakerNames(by_name=_by_name(room.settings, config))
    folder = MeetingFolder(room.settings.directory, room.name, began)
    store = Store(folder, config.formats, began, Allowance(room.settings.max_megabytes))
    async with writing(store) as writer:
        yield TranscriptExport(Selection(config, room.languages, began, names), writer.put)


def _by_name(settings: ExportSettings, config: ExportConfig) -> bool:
    if config.names and not settings.allow_names:
        _logger.info("a transcript is written without names: the worker's settings say so")

    return config.names and settings.allow_names
