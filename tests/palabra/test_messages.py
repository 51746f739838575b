"""What Palabra says, in all its dialects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.ports import Transcript
from palabra_agent.palabra.messages import (
    ErrorReport,
    Message,
    QueueLevels,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
    decode,
    encode,
)
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

MALFORMED = Unread("malformed")

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
KEYS = [
    "message_type",
    "data",
    "transcription",
    "transcription_id",
    "translation_part_id",
    "language",
    "text",
    "command",
    "task_status",
    "code",
    "desc",
    "current_queue_level_ms",
    "es",
]
TYPES = [
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "current_task",
    "task_status",
    "error",
    "warning",
    "eos",
    "end_of_stream",
    "pipeline_timings",
]
values = st.recursive(
    scalars | st.sampled_from(TYPES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)


def said(message_type: str, data: object) -> Message:
    """Decode a message."""
    return decode(json.dumps({"message_type": message_type, "data": data}))


def words(message_type: str, **body: object) -> Message:
    """Decode a message that carries a transcription."""
    return said(message_type, {"transcription": body})


@given(st.binary() | st.text())
def test_bytes_never_break_anything(noise: bytes | str) -> None:
    """Whatever comes is read as something, be it malformed."""
    assert decode(noise)


@given(values)
def test_json_never_breaks_anything(value: object) -> None:
    """Whatever JSON comes, with familiar names in any places, is read as something."""
    assert decode(json.dumps(value))


@given(st.sampled_from(TYPES), values)
def test_known_types_with_any_data_never_break_anything(kind: str, data: object) -> None:
    """A known type promises nothing about its data."""
    read = said(kind, data)

    assert hash(read) if not isinstance(read, QueueLevels) else read


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"1" * 5000,
        b"[" * 100_000,
        b'{"message_type": null, "data": {}}',
        b'{"message_type": 5, "data": {}}',
        b'{"message_type": "error"}',
        b'{"message_type": "error", "data": []}',
        b'{"message_type": "error", "data": "no json"}',
        b'{"es": 5}',
        b'{"es": {}}',
        b'{"es": {"current_queue_level_ms": "5"}}',
        b'{"es": {"current_queue_level_ms": NaN}}',
        b'{"es": {"current_queue_level_ms": Infinity}}',
        b'{"es": {"current_queue_level_ms": 1e999}}',
        b'{"es": {"current_queue_level_ms": true}}',
    ],
)
def test_what_is_malformed_is_told_apart(frame: bytes) -> None:
    """Noise is counted as such, never taken for something, never an error."""
    assert decode(frame) == MALFORMED


@pytest.mark.parametrize(
    ("message_type", "expected"),
    [
        ("partial_transcription", transcript(is_final=False)),
        ("validated_transcription", transcript()),
        ("partial_translated_transcription", translated("hello", "en", is_final=False)),
        ("translated_transcription", translated("hello", "en")),
    ],
)
def test_each_kind_of_transcript_is_read(message_type: str, expected: Transcript) -> None:
    """Four types say whether words are final and whether they are a translation."""
    assert words(message_type, transcription_id="t1", language="en", text="hello") == expected


@pytest.mark.parametrize(
    ("body", "identifier", "part", "language"),
    [
        ({"transcription_id": "t1", "language": "EN_us"}, "t1", "", "en-us"),
        ({"transcription_id": "t1_part_0", "language": "en"}, "t1", "0", "en"),
        ({"transcription_id": "t1_part_12", "language": "en"}, "t1", "12", "en"),
        ({"transcription_id": "a_part_1_part_2", "language": "en"}, "a_part_1", "2", "en"),
        ({"transcription_id": "_part_1", "language": "en"}, "_part_1", "", "en"),
        ({"transcription_id": "t1_part_x", "language": "en"}, "t1_part_x", "", "en"),
        ({"transcription_id": "t1", "language": "en", "translation_part_id": 3}, "t1", "3", "en"),
        ({"transcription_id": "t1", "language": "en", "translation_part_id": 0}, "t1", "0", "en"),
        ({"transcription_id": "t1", "language": "en", "translation_part_id": "p"}, "t1", "p", "en"),
        ({"transcription_id": "t1", "language": "en", "translation_part_id": None}, "t1", "", "en"),
    ],
)
def test_parts_are_read_in_both_dialects(
    body: dict[str, Any], identifier: str, part: str, language: str
) -> None:
    """A part is named in the id by old servers and in a field by new ones."""
    read = words("translated_transcription", text="x", **body)

    assert read == translated("x", language, identifier=identifier, part=part)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"transcription_id": 5, "language": "en", "text": "x"},
        {"transcription_id": "t1", "language": None, "text": "x"},
        {"transcription_id": "t1", "language": "en"},
        {"transcription_id": "t1", "language": "en", "text": ["x"]},
    ],
)
def test_transcripts_of_wrong_types_are_malformed(body: dict[str, Any]) -> None:
    """A transcript without id, language or text is none."""
    assert words("validated_transcription", **body) == MALFORMED
    assert said("validated_transcription", {"transcription": "x"}) == MALFORMED


@pytest.mark.parametrize(
    ("message_type", "data", "expected"),
    [
        ("current_task", {"task_status": "running"}, TaskReport("", "running")),
        ("current_task", {}, TaskReport("", "running")),
        ("current_task", {"pipeline": {}}, TaskReport("", "running")),
        ("current_task", {"task_status": "paused"}, TaskReport("", "paused")),
        ("current_task", {"task_status": "unknown"}, TaskReport("", "unknown")),
        (
            "task_status",
            {"command": "set_task", "task_status": "running"},
            TaskReport("set_task", "running"),
        ),
        ("task_status", {}, TaskReport("", "unknown")),
        ("error", {"code": "NOT_FOUND", "desc": "no task"}, ErrorReport("NOT_FOUND", "no task")),
        ("error", {"code": "X", "msg": "m"}, ErrorReport("X", "m")),
        ("error", {"code": None, "message": "m"}, ErrorReport("", "m")),
        ("error", {"code": 7, "description": 8}, ErrorReport("7", "8")),
        ("error", {}, ErrorReport("", "")),
        ("warning", {"code": "VOICE", "desc": "d"}, WarningReport("VOICE", "d")),
        ("eos", {}, StreamEnded()),
        ("end_of_stream", {"any": 1}, StreamEnded()),
        ("pipeline_timings", {}, Unread("pipeline_timings")),
        ("invented_tomorrow", {"x": []}, Unread("invented_tomorrow")),
    ],
)
def test_the_rest_is_read_by_type(message_type: str, data: object, expected: Message) -> None:
    """Both spellings of an answer mean the same, and an unknown type is named."""
    assert said(message_type, data) == expected
    assert said(message_type, json.dumps(data)) == expected


def test_a_bare_map_tells_the_queues() -> None:
    """The queue status has neither type nor envelope."""
    frame = (
        b'{"es": {"current_queue_level_ms": 1200, "max": 3}, "de": {"current_queue_level_ms": 0.5}}'
    )

    assert decode(frame) == QueueLevels({"es": 1200, "de": 0})


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text(), max_size=2))
def test_what_is_written_can_be_read(data: dict[str, str]) -> None:
    """A command is one JSON object, in UTF-8."""
    read = json.loads(encode("set_task", data).decode())

    assert read == {"message_type": "set_task", "data": data}
