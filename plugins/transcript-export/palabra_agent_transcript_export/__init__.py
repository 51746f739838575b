"""Transcripts on disk: final words are written down at once, where the operator says."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from palabra_agent.plugin import Plugin, RoomInfo, TranscriptEvent, TranscriptListener
from palabra_agent_transcript_export.config import ExportConfig, ExportSettings
from palabra_agent_transcript_export.files import Allowance
from palabra_agent_transcript_export.folders import MeetingFolder
from palabra_agent_transcript_export.selection import Selection, SpeakerNames, TranscriptEntry
from palabra_agent_transcript_export.store import Store
from palabra_agent_transcript_export.writer import writing

__all__ = ["ExportConfig", "ExportSettings", "TranscriptExport", "plugin"]

_logger = logging.getLogger(__name__)


class TranscriptExport(TranscriptListener):
    """Writes down one room's transcript."""

    def __init__(self, selection: Selection, put: Callable[[TranscriptEntry], None]) -> None:
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


def announce(room: RoomInfo[ExportSettings], config: ExportConfig) -> str | None:
    """Tell people that who says what is written down."""
    if not (config.names and room.settings.allow_names):
        return None

    return "What is said here is written down, with the names of the speakers."


EXAMPLE: Final = {"formats": ["jsonl", "vtt"], "languages": ["en", "es"], "names": True}

plugin = Plugin(
    ExportConfig, open_export, settings_model=ExportSettings, example=EXAMPLE, announce=announce
)
"""The recipe that the entry point names."""
