"""Events that are written: which of them, in which language's files, under which names."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from palabra_agent.plugin import (
    LanguageCode,
    Speaker,
    TranscriptEvent,
    base,
    match,
    normalise,
    one_line,
    shown_name,
)
from palabra_agent_transcript_export.config import ExportConfig

_REMEMBERED: Final = 5_000

UNKNOWN: Final = LanguageCode("und")
"""The standard's code of a language that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptEntry:
    """Final words, ready to be written."""

    event: TranscriptEvent
    language: LanguageCode
    """The language whose file they belong in; `und` where it is not known."""
    speaker: str
    """A name, or `Speaker 1`."""
    number: int
    """Of the speaker, from 1."""
    begin_ms: int
    """Since the transcript's beginning, never negative."""
    end_ms: int
    """Never before the beginning of the words."""
    original: str | None
    """The words that a translation translates; None where they are not to be written."""


def milliseconds_between(beginning: datetime, moment: datetime) -> int:
    """Measure the time from a beginning to a moment; 0 where that was before."""
    return max((moment - beginning) // timedelta(milliseconds=1), 0)


class SpeakerNames:
    """Numbers a room's speakers, each identity always the same."""

    def __init__(self, *, by_name: bool) -> None:
        self._by_name = by_name
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._last = 0

    def number(self, speaker: Speaker) -> int:
        """The speaker's number, from 1; none is given twice."""
        identity = speaker.identity
        if identity not in self._numbers:
            self._last += 1
            self._numbers[identity] = self._last

        self._numbers.move_to_end(identity)
        if len(self._numbers) > _REMEMBERED:
            self._numbers.popitem(last=False)

        return self._numbers[identity]

    def label(self, speaker: Speaker) -> str:
        """Give the name in the transcript."""
        name = _name(speaker) if self._by_name else ""
        return name or f"Speaker {self.number(speaker)}"


def _name(speaker: Speaker) -> str:
    """Give a speaker's own name, if there is one: the host puts the identity in its place."""
    name = shown_name(speaker.name, speaker.identity)
    return "" if name == shown_name("", speaker.identity) else name


@dataclass(frozen=True, slots=True)
class Selection:
    """Makes entries of the events that a room wants to have written."""

    config: ExportConfig
    offered: Sequence[LanguageCode]
    """The room's targets."""
    began: datetime
    """The beginning of the transcript."""
    names: SpeakerNames

    def entry(self, event: TranscriptEvent) -> TranscriptEntry | None:
        """Make an entry of an event; None where it is not to be written."""
        language = self._language(event)
        if not self._is_wanted(event, language):
            return None

        begin_ms = milliseconds_between(self.began, event.began_at)
        return TranscriptEntry(
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
