"""How an entry reads in each format. Pure: text in, text out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from palabra_agent_transcript_export.config import FormatName
from palabra_agent_transcript_export.cues import clock
from palabra_agent_transcript_export.entries import Entry
from palabra_agent_transcript_export.text import for_json_lines, for_srt, for_vtt


@dataclass(frozen=True, slots=True)
class Cue:
    """An entry at its place in a file."""

    entry: Entry
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a transcript."""

    header: Callable[[datetime], str]
    """What a file begins with, given when the transcript began."""
    block: Callable[[Cue, int], str]
    """A cue, given its number in the file, from 1."""
    is_subtitles: bool = True
    """Whether it has a file per language, with cues one after the other."""


def _json_line(cue: Cue, _number: int) -> str:
    entry, event = cue.entry, cue.entry.event
    facts: dict[str, object] = {
        "utterance": event.utterance,
        "part": event.part,
        "speaker": entry.speaker,
        "speaker_number": entry.number,
        "language": event.language or entry.language,
        "text": event.text,
        "is_translation": event.is_translation,
        "began_at": _spelt(event.began_at),
        "told_at": _spelt(event.told_at),
        "begin_seconds": entry.begin_ms / 1000,
        "end_seconds": entry.end_ms / 1000,
    }
    if entry.original is not None:
        facts["original"] = entry.original

    return f"{for_json_lines(json.dumps(facts, ensure_ascii=False))}\n"


def _vtt_header(began: datetime) -> str:
    return f"WEBVTT\n\nNOTE 00:00:00.000 is {_spelt(began)}\n\n"


def _vtt_block(cue: Cue, number: int) -> str:
    times = f"{clock(cue.begin_ms, '.')} --> {clock(cue.end_ms, '.')}"
    speaker, text = for_vtt(cue.entry.speaker), for_vtt(cue.entry.event.text)
    return f"{number}\n{times}\n<v {speaker}>{text}</v>\n\n"


def _srt_block(cue: Cue, number: int) -> str:
    times = f"{clock(cue.begin_ms, ',')} --> {clock(cue.end_ms, ',')}"
    speaker, text = for_srt(cue.entry.speaker), for_srt(cue.entry.event.text)
    return f"{number}\n{times}\n{speaker}: {text}\n\n"


def _no_header(_began: datetime) -> str:
    return ""


def _spelt(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FORMATS: Final[Mapping[FormatName, Format]] = {
    "jsonl": Format(_no_header, _json_line, is_subtitles=False),
    "vtt": Format(_vtt_header, _vtt_block),
    "srt": Format(_no_header, _srt_block),
}
