"""Transcripts on disk: whatever was said for good is written down at once, where operators say."""

from __future__ import annotations

from typing import Final

from palabra_agent.plugin import Plugin
from palabra_agent_transcript_export.config import ExportConfig, ExportSettings
from palabra_agent_transcript_export.listener import TranscriptExport, open_export

__all__ = ["ExportConfig", "ExportSettings", "TranscriptExport", "plugin"]

EXAMPLE: Final = {"formats": ["jsonl", "vtt"], "languages": ["en", "es"], "names": True}

plugin = Plugin(ExportConfig, open_export, settings_model=ExportSettings, example=EXAMPLE)
"""What the entry point names."""
