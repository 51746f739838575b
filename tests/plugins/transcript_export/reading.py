"""Strict readers of what the export writes: whatever a player might stumble over fails here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any, Final

_VTT_HEADER: Final = re.compile(r"WEBVTT\n\nNOTE 00:00:00\.000 is \S+Z\n\n")
_VTT_VOICE: Final = re.compile(r"<v ([^<>\n]+)>([^<>\n]*)</v>")
_ENTITY: Final = re.compile(r"&(?!(amp|lt|gt);)")
_TIME: Final = re.compile(r"(\d{2,}):([0-5]\d):([0-5]\d)[.,](\d{3})")


@dataclass(frozen=True)
class ReadCue:
    """A cue as a player sees it."""

    begin_ms: int
    end_ms: int
    speaker: str
    text: str


def read_vtt(path: Path) -> list[ReadCue]:
    """Read WebVTT by the standard's rules for whoever writes it."""
    content = path.read_bytes().decode("utf-8")
    header = _VTT_HEADER.match(content)
    assert header, "no header"

    cues = list[ReadCue]()
    for begin_ms, end_ms, payload in _blocks(content[header.end() :], "."):
        voice = _VTT_VOICE.fullmatch(payload)
        assert voice, payload
        assert not _ENTITY.search(payload), payload
        speaker, text = map(unescape, voice.groups())
        cues.append(ReadCue(begin_ms, end_ms, speaker, text))
    _check_order(cues)
    return cues


def read_srt(path: Path) -> list[ReadCue]:
    """Read SRT without what any player takes for a tag."""
    cues = list[ReadCue]()
    for begin_ms, end_ms, payload in _blocks(path.read_bytes().decode("utf-8"), ","):
        assert not re.search(r"[<>]|\{\\|-->", payload), payload
        speaker, colon, text = payload.partition(": ")
        assert colon, payload
        cues.append(ReadCue(begin_ms, end_ms, speaker, text))
    _check_order(cues)
    return cues


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, also as readers do who take every line end of Unicode for one."""
    content = path.read_bytes().decode("utf-8")
    assert not content or content.endswith("\n"), "a torn last line"
    assert content.splitlines() == content.split("\n")[:-1]
    return [json.loads(line) for line in content.splitlines()]


def _blocks(content: str, point: str) -> Iterator[tuple[int, int, str]]:
    """Cues with their times: number, times and one line, between blank lines."""
    assert "\r" not in content
    assert not content or content.endswith("\n\n"), "a torn last cue"
    for expected, block in enumerate(content.removesuffix("\n\n").split("\n\n"), start=1):
        number, times, payload = block.split("\n")
        assert number == str(expected)
        begin, end = times.split(" --> ")
        assert point in begin
        assert point in end
        yield _milliseconds(begin), _milliseconds(end), payload


def _milliseconds(spelt: str) -> int:
    time = _TIME.fullmatch(spelt)
    assert time, spelt
    hours, minutes, seconds, thousandths = map(int, time.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + thousandths


def _check_order(cues: list[ReadCue]) -> None:
    shown_until = 0
    for cue in cues:
        assert shown_until <= cue.begin_ms < cue.end_ms, cue
        shown_until = cue.end_ms
