"""Which events are written, and in which language's files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from palabra_agent.plugin import LanguageCode, TranscriptEvent, base, match, normalise
from palabra_agent_transcript_export.config import ExportConfig
from palabra_agent_transcript_export.entries import Entry, milliseconds_between
from palabra_agent_transcript_export.speakers import SpeakerNames
from palabra_agent_transcript_export.text import one_line

UNKNOWN: Final = LanguageCode("und")
"""What the standard calls a language that nobody knows."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Makes entries of the events that a room wants to have written."""

    config: ExportConfig
    offered: Sequence[LanguageCode]
    """The room's targets."""
    began: datetime
    """When the transcript began."""
    names: SpeakerNames

    def entry(self, event: TranscriptEvent) -> Entry | None:
        """What is to be written of an event, if anything."""
        language = self._language(event)
        if not self._is_wanted(event, language):
            return None

        begin_ms = milliseconds_between(self.began, event.began_at)
        return Entry(
            event=event,
            language=language,
            speaker=self.names.label(event.speaker),
            number=self.names.number(event.speaker),
            begin_ms=begin_ms,
            end_ms=max(milliseconds_between(self.began, event.told_at), begin_ms),
            original=event.original if event.is_translation and self.config.originals else None,
        )

    def _language(self, event: TranscriptEvent) -> LanguageCode:
        """Originals go where those read who want to hear that language: `en` into `en-us`."""
        language = normalise(event.language) or UNKNOWN
        return language if event.is_translation else match(language, self.offered) or language

    def _is_wanted(self, event: TranscriptEvent, language: LanguageCode) -> bool:
        wanted = self.config.languages
        return (
            event.is_final
            and one_line(event.text) != ""
            and (event.is_translation or self.config.originals)
            and (not wanted or any(code in {language, base(language)} for code in wanted))
        )
