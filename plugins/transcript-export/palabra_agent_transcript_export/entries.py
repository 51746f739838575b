"""What is written of one event: whose words, in which language's files, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from palabra_agent.plugin import LanguageCode, TranscriptEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Final words, ready to be written."""

    event: TranscriptEvent
    language: LanguageCode
    """Whose file they belong in; `und` where nobody knows."""
    speaker: str
    """A name, or `Speaker 1`."""
    number: int
    """Of the speaker, from 1."""
    begin_ms: int
    """Since the transcript's beginning, never negative."""
    end_ms: int
    """Never before the beginning of the words."""
    original: str | None
    """What a translation translates; None where it is not to be written."""


def milliseconds_between(beginning: datetime, moment: datetime) -> int:
    """How long after a beginning something was; 0 where it was before."""
    return max((moment - beginning) // timedelta(milliseconds=1), 0)
