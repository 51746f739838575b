"""Formats of a transcript: JSON lines, WebVTT and SRT. Pure: text in, text out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from unicodedata import east_asian_width

from palabra_agent.plugin import one_line
from palabra_agent_transcript_export.config import FormatName
from palabra_agent_transcript_export.selection import TranscriptEntry

_LINE_ENDS_THAT_JSON_KEEPS: Final = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
_VTT_ESCAPES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}
_SRT_LIKENESSES: Final = {ord("<"): "‹", ord(">"): "›"}
_ASS_OVERRIDE: Final = "{\\"

SHORTEST_MS: Final = 500
"""For a cue that has no more time, because the next words came meanwhile."""
_CHARACTERS_PER_SECOND: Final = 17
"""The most that guides to subtitling let people read."""
_SHORTEST_TO_READ_MS: Final = 1_000
_LONGEST_TO_READ_MS: Final = 7_000


def for_vtt(text: str) -> str:
    """Escape what WebVTT takes for tags, entities and the arrow between times."""
    return one_line(text).translate(_VTT_ESCAPES)


def for_srt(text: str) -> str:
    """Replace what players take for tags or times: SRT has no way to escape it."""
    return one_line(text).translate(_SRT_LIKENESSES).replace(_ASS_OVERRIDE, "{ \\")


def for_json_lines(text: str) -> str:
    """Escape, in JSON, the line ends that some readers heed besides the usual one."""
    return text.translate(_LINE_ENDS_THAT_JSON_KEEPS)


def encoded(text: str) -> bytes:
    """Encode text for a file, whatever is in it."""
    return text.encode("utf-8", errors="replace")


class Timeline:
    """The times of one file of subtitles, which is only ever written at its end.

    People talk at the same time, and long sentences are told after short ones that began later;
    players want a file's cues in order. So a cue begins where the words of the one before it end,
    or later. It stays until it can be read, but gives way to the next words.
    """

    def __init__(self) -> None:
        self._words_end_ms = 0

    def place(self, begin_ms: int, end_ms: int, text: str) -> tuple[int, int]:
        """Find the time of the next cue; the one before it ends where this begins, or earlier."""
        begin_ms = max(begin_ms, self._words_end_ms)
        self._words_end_ms = max(end_ms, begin_ms + SHORTEST_MS)
        return begin_ms, max(self._words_end_ms, begin_ms + reading_ms(text))


def reading_ms(text: str) -> int:
    """The time that people need to read a text; what is written wide counts double."""
    letters = sum(2 if east_asian_width(each) in {"F", "W"} else 1 for each in text)
    needed = letters * 1_000 // _CHARACTERS_PER_SECOND
    return min(max(needed, _SHORTEST_TO_READ_MS), _LONGEST_TO_READ_MS)


def clock(milliseconds: int, point: str) -> str:
    """Spell a time as `00:01:02.345`, with whatever stands before the thousandths."""
    seconds, thousandths = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{thousandths:03}"


@dataclass(frozen=True, slots=True)
class Cue:
    """An entry at its place in a file."""

    entry: TranscriptEntry
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write a transcript."""

    header: Callable[[datetime], str]
    """Makes the head of a file, given when the transcript began."""
    block: Callable[[Cue, int], str]
    """A cue, given its number in the file, from 1."""
    is_subtitles: bool = True
    """True for a file per language, with cues one after the other."""


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
