"""Subtitles: times that every player accepts, and text that no player takes for anything else."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palabra_agent_transcript_export.files import Allowance
from palabra_agent_transcript_export.folders import MeetingFolder
from palabra_agent_transcript_export.formats import Timeline, clock
from palabra_agent_transcript_export.selection import Selection, SpeakerNames
from palabra_agent_transcript_export.store import Store

from palabra_agent.plugin import TranscriptEvent, one_line
from tests.plugins.transcript_export.reading import read_lines, read_srt, read_vtt
from tests.plugins.transcript_export.telling import EN, ES, event, only_folder, read

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)

TEXTS = [
    "00:00:01.000 --> 00:00:02.000",
    "a\n\nb",
    "a\r\n\r\nb",
    "\u2028line\u2029ends\x85of Unicode\x0b\x0c",
    "WEBVTT",
    "NOTE this",
    "1",
    "<b>bold</b> & <script>",
    "</v><v Eve>",
    "&lt;already&amp;",
    "{\\an8}top",
    "{\\\\an8}",
    "\x00nul\x01\x7f",
    "\u200f\u202eright to left\u202c",
    "e\u0301\u0301\u0301 combined\u20dd",
    "byte \ufeff order",
    "\ud800 half",
    "emoji 👩‍👩‍👧 and العربية",
    "long " * 2_000,
    "non-breaking\u00a0space",
]


def write(directory: Path, *events: TranscriptEvent) -> Path:
    """Write a transcript that began at `BEGAN`."""
    selection = Selection(read({}), (EN, ES), BEGAN, SpeakerNames(by_name=True))
    folder = MeetingFolder(directory, "board", BEGAN)
    store = Store(folder, selection.config.formats, BEGAN, Allowance(100))
    for each in events:
        entry = selection.entry(each)
        assert entry is not None
        store.write(entry, now=0)
    return only_folder(directory)


def at(begin: float, seconds: float, text: str = "x") -> TranscriptEvent:
    """Words at a time since the beginning."""
    return event(text, began=BEGAN + timedelta(seconds=begin), seconds=seconds)


def times(folder: Path) -> list[tuple[int, int]]:
    """The times of all English cues, the same in both formats."""
    vtt, srt = read_vtt(folder / "en.vtt"), read_srt(folder / "en.srt")
    assert [(c.begin_ms, c.end_ms) for c in vtt] == [(c.begin_ms, c.end_ms) for c in srt]
    return [(cue.begin_ms, cue.end_ms) for cue in vtt]


def test_times_count_from_the_beginning(tmp_path: Path) -> None:
    """A cue is shown from when its words began until they were told."""
    assert times(write(tmp_path, at(1.25, 2), at(3_600, 1))) == [
        (1_250, 3_250),
        (3_600_000, 3_601_000),
    ]


def test_no_time_is_negative(tmp_path: Path) -> None:
    """What began before the transcript did is shown from its beginning."""
    assert times(write(tmp_path, at(-5, 7), at(-60, 1))) == [(0, 2_000), (2_000, 3_000)]


def test_cues_do_not_overlap(tmp_path: Path) -> None:
    """Who speaks at the same time is shown after; what ends before it begins is shown briefly."""
    folder = write(tmp_path, at(0, 10), at(8, 4), at(9, 1), at(20, -3), at(0, 30))
    assert times(folder) == [
        (0, 10_000),
        (10_000, 12_000),
        (12_000, 13_000),
        (20_000, 20_500),
        (20_500, 30_000),
    ]


SIXTY: Final = "Sixty letters, told as the one before ended, need some time."


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("Yes.", 1_000),
        (SIXTY, 3_529),
        ("会議はこれから始まります。" * 2, 3_058),
        ("long " * 99, 7_000),
    ],
)
def test_a_cue_stays_until_it_can_be_read(tmp_path: Path, text: str, needed: int) -> None:
    """Of two who end together the second has time too, if nothing follows."""
    folder = write(tmp_path, at(0, 10), at(9, 1, text), at(60, 1))

    assert times(folder) == [(0, 10_000), (10_000, 10_000 + needed), (60_000, 61_000)]


@pytest.mark.parametrize(
    ("begin", "until"), [(10.2, 10_500), (12, 12_000), (13.529, 13_529), (14, 13_529)]
)
def test_a_cue_gives_way_to_the_next_words(tmp_path: Path, begin: float, until: int) -> None:
    """However many talk at the same time, subtitles do not fall behind them for that."""
    folder = write(tmp_path, at(0, 10), at(9, 1, SIXTY), at(begin, 9))

    assert times(folder)[1:] == [
        (10_000, until),
        (max(until, int(begin * 1_000)), int(begin * 1_000) + 9_000),
    ]


def test_a_cue_that_gave_way_is_whole(tmp_path: Path) -> None:
    """Only its end is written anew; what stands before and after it stays."""
    folder = write(tmp_path, *(at(number, 1, SIXTY) for number in range(50)))

    assert [cue.text for cue in read_vtt(folder / "en.vtt")] == [SIXTY] * 50
    assert times(folder)[-2:] == [(48_000, 49_000), (49_000, 52_529)]


def test_json_lines_keep_the_true_times(tmp_path: Path) -> None:
    """Overlaps are told as they were."""
    lines = read_lines(write(tmp_path, at(0, 10), at(8, 4)) / "transcript.jsonl")
    assert [(line["begin_seconds"], line["end_seconds"]) for line in lines] == [(0, 10), (8, 12)]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9))))
def test_a_timeline_only_goes_forward(moments: list[tuple[int, int]]) -> None:
    """Whatever comes, each cue begins where the last ended or later, and lasts."""
    timeline, shown_until = Timeline(), 0
    for begin_ms, end_ms in moments:
        begin, end = timeline.place(begin_ms, end_ms, "")
        assert begin >= max(begin_ms, shown_until)
        assert end >= max(begin + 1_000, end_ms)
        shown_until = max(begin + 500, end_ms)


def test_hours_may_be_many() -> None:
    """A meeting of days has more than two digits of hours."""
    assert clock(123 * 3_600_000 + 4_005, ".") == "123:00:04.005"


@pytest.mark.parametrize("text", TEXTS)
def test_text_cannot_break_a_file(tmp_path: Path, text: str) -> None:
    """Between two harmless cues, every text is one cue, and is read as it was said."""
    folder = write(tmp_path, at(0, 1, "before"), at(1, 1, text), at(2, 1, "after"))
    text = text.replace("\ud800", "?")
    said = one_line(text)

    assert [cue.text for cue in read_vtt(folder / "en.vtt")] == ["before", said, "after"]
    before, cue, after = (cue.text for cue in read_srt(folder / "en.srt"))
    assert (before, after) == ("before", "after")
    if not set(said) & set("<>{"):
        assert cue == said
    lines = read_lines(folder / "transcript.jsonl")
    assert [line["text"] for line in lines] == ["before", text, "after"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5))
def test_whatever_is_said_can_be_read_back(said: list[tuple[str, str]]) -> None:
    """Any text by anybody of any name is read back by strict readers."""
    words = [(text, name) for text, name in said if one_line(text)]
    events = [event(text, name=name, began=BEGAN) for text, name in words]
    with tempfile.TemporaryDirectory() as directory:
        folder = write(Path(directory), *events, at(0, 1, "end"))
        texts = [cue.text for cue in read_vtt(folder / "en.vtt")]
        lines = [line["text"] for line in read_lines(folder / "transcript.jsonl")]
        assert len(read_srt(folder / "en.srt")) == len(words) + 1

    assert texts == [*(one_line(text) for text, _ in words), "end"]
    assert lines == [*(text for text, _ in words), "end"]
