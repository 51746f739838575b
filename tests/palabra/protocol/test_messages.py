"""Messages from Palabra, in all its dialects."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import (
    MALFORMED,
    MESSAGE_TYPES,
    TOO_LARGE,
    UNNAMED,
    AudioChunk,
    ErrorReport,
    Message,
    PipelineTimings,
    QueueLevels,
    SpokenText,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
    decode,
)
from palabra_agent.session import Transcript
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

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
TYPES = [*MESSAGE_TYPES, "invented_tomorrow"]
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
    assert said(kind, data)


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
        b"[" * 4_000,
        b'{"message_type": null, "data": {}}',
        b'{"message_type": 5, "data": {}}',
        b'{"message_type": "validated_transcription"}',
        b'{"message_type": "translated_transcription", "data": 5}',
        b'{"es": 5}',
        b'{"es": {}}',
        b'{"es": {"current_queue_level_ms": "5 ms"}}',
        b'{"es": {"current_queue_level_ms": NaN}}',
        b'{"es": {"current_queue_level_ms": Infinity}}',
        b'{"es": {"current_queue_level_ms": 1e999}}',
        b'{"es": {"current_queue_level_ms": true}}',
        b'{"es": {"current_queue_level_ms": 1' + b"0" * 400 + b"}}",
        b'{"data": {}}',
        b'{"message_type": "tts_buffer_stats", "data": {}}',
        b'{"message_type": "tts_buffer_stats", "data": {"stats": {"es": 5}}}',
        b'{"message_type": "tts_text", "data": {}}',
        b'{"message_type": "pipeline_timings", "data": {"total": 1}}',
        b'{"message_type": "output_audio_data", "data": {}}',
        b'{"message_type": "output_audio_data", "data": {"data": 7}}',
        b'{"message_type": "output_audio_data", "data": {"data": "no base64!"}}',
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
        {"transcription_id": "t1", "language": "en"},
        {"transcription_id": "t1", "language": "en", "text": ["x", "y"]},
        {"transcription_id": "t1", "language": "en", "text": True},
    ],
)
def test_a_transcript_without_text_is_malformed(body: dict[str, Any]) -> None:
    """Without words there is nothing to show."""
    assert words("validated_transcription", **body) == MALFORMED
    assert said("validated_transcription", {"transcription": "x"}) == MALFORMED


@pytest.mark.parametrize("language", [{}, {"language": None}, {"language": 5}])
def test_a_transcript_need_not_say_its_language(language: dict[str, Any]) -> None:
    """Servers of 2025 leave it out: then it is unknown, and the words are read all the same."""
    read = words("validated_transcription", transcription_id="t1", text="hello", **language)

    assert read == transcript(language="")


@pytest.mark.parametrize("named", [{}, {"transcription_id": None}, {"transcription_id": {}}])
def test_finished_words_without_an_id_get_one(named: dict[str, Any]) -> None:
    """The same words get the same id, so that a repetition is known as one; partials get none."""
    first, again, other = (
        words("validated_transcription", language="en", text=text, **named)
        for text in ("One.", "One.", "Two.")
    )

    assert isinstance(first, Transcript)
    assert isinstance(other, Transcript)
    assert first == again
    assert first.transcription_id.startswith(UNNAMED)
    assert first.transcription_id != other.transcription_id
    assert words("partial_transcription", language="en", text="On", **named) == MALFORMED


@pytest.mark.parametrize(
    ("segments", "start", "end"),
    [
        ([{"start": 0.5, "end": 1.5}], 0.5, 1.5),
        ([{"start": 0.5, "end": 1.5, "words": []}, {"start": 2, "end": 3}], 0.5, 3),
        ([{"start": 0.5}], 0.5, None),
        ([{"start": "0.5", "end": "1.5"}], 0.5, 1.5),
        ({"start": 0.5, "end": 1.5}, 0.5, 1.5),
        ([{"start": "soon", "end": True}], None, None),
        ([5], None, None),
        ([], None, None),
        (None, None, None),
        ("x", None, None),
    ],
)
def test_segments_tell_when_it_was_said(
    segments: object, start: float | None, end: float | None
) -> None:
    """The first segment's beginning and the last one's end, wherever they are told."""
    body = {"transcription_id": "t1", "language": "en", "text": "hello", "segments": segments}
    read = words("validated_transcription", **body)

    assert isinstance(read, Transcript)
    assert (read.start_seconds, read.end_seconds) == (start, end)


def test_broken_letters_are_replaced() -> None:
    """Half of a surrogate pair, which JSON may hold, could not be sent on."""
    read = words(
        "validated_transcription", transcription_id="\ud800", language="en", text="a\udfff"
    )

    assert isinstance(read, Transcript)
    assert (read.transcription_id, read.text) == ("?", "a?")


def test_words_are_one_line() -> None:
    """What would break a line, rule a terminal or turn the writing around goes no further."""
    read = words(
        "validated_transcription",
        transcription_id="t1",
        language="en\x1b",
        text=" Hello\nBob: yes\x1b[31m\x00 \u202e! ",
    )

    assert isinstance(read, Transcript)
    assert (read.text, read.language) == ("Hello Bob: yes !", "en")


@pytest.mark.parametrize(
    ("message_type", "data", "expected"),
    [
        ("current_task", {"task_status": "running"}, TaskReport("", "running")),
        ("current_task", {}, TaskReport("", "")),
        ("current_task", {"pipeline": {}}, TaskReport("", "")),
        ("current_task", {"task_status": "paused"}, TaskReport("", "paused")),
        ("current_task", {"task_status": "unknown"}, TaskReport("", "unknown")),
        (
            "task_status",
            {"command": "set_task", "task_status": "running"},
            TaskReport("set_task", "running"),
        ),
        (
            "task_status",
            {
                "command": "tts_task",
                "event": "queued",
                "task_status": "running",
                "transcription_id": "t1",
            },
            TaskReport("tts_task", "running", "queued", "t1"),
        ),
        ("task_status", {}, TaskReport("", "unknown")),
        ("error", {"code": "NOT_FOUND", "desc": "no task"}, ErrorReport("NOT_FOUND", "no task")),
        ("error", {"code": "X", "msg": "m"}, ErrorReport("X", "m")),
        ("error", {"code": None, "message": "m"}, ErrorReport("", "m")),
        ("error", {"code": 7, "description": 8}, ErrorReport("7", "8")),
        ("error", {}, ErrorReport("", "")),
        ("error", {"error_code": 5, "detail": "no money"}, ErrorReport("5", "no money")),
        ("error", {"error": "a", "details": "b"}, ErrorReport("", "b")),
        ("error", {"code": "X", "desc": [], "msg": "m"}, ErrorReport("X", "m")),
        ("error", {"code": ["X"], "desc": {"a": 1}}, ErrorReport("X", "")),
        ("error", {"error": {"code": "X", "desc": "m"}}, ErrorReport("X", "m")),
        ("error", {"code": "X", "errors": ["a", {"detail": "b"}]}, ErrorReport("X", "a; b")),
        (
            "error",
            {"code": "X", "desc": [{"type": "t", "msg": "bad", "loc": ["a", 0]}, 5, {}]},
            ErrorReport("X", "[{'loc': ('a', 0), 'msg': 'bad'}, {'loc': (), 'msg': ''}]"),
        ),
        ("warning", {"code": "VOICE", "desc": "d"}, WarningReport("VOICE", "d")),
        ("eos", {}, StreamEnded()),
        ("end_of_stream", {"any": 1}, StreamEnded()),
        (
            "pipeline_timings",
            {"transcription_id": "t1", "timings": {"tts": 0.5, "total": 2, "odd": "x"}},
            PipelineTimings("t1", {"tts": 0.5, "total": 2}),
        ),
        (
            "tts_text",
            {"transcription": {"transcription_id": "t1_part_2", "language": "ES", "text": "hola"}},
            SpokenText("t1", "2", LanguageCode("es"), "hola"),
        ),
        (
            "tts_buffer_stats",
            {
                "stats": {
                    "es": {"current_queue_level_ms": 760, "max_queue_level_ms": 20000},
                    "timestamp": 17.5,
                }
            },
            QueueLevels({"es": 760}, {"es": 20000}, 17.5),
        ),
        ("tts_buffer_stats", {"stats": {"timestamp": 17.5}}, QueueLevels({}, {}, 17.5)),
        ("invented_tomorrow", {"x": []}, Unread("invented_tomorrow")),
    ],
)
def test_the_rest_is_read_by_type(message_type: str, data: object, expected: Message) -> None:
    """Both spellings of an answer mean the same, and an unknown type is named."""
    assert said(message_type, data) == expected
    assert said(message_type, json.dumps(data)) == expected


@pytest.mark.parametrize("data", [{"pipeline": {}}, {"current_task": {"pipeline": {}}}])
def test_the_task_itself_is_shown(data: dict[str, Any]) -> None:
    """The answer to `get_task` holds it; an acknowledgement does not."""
    shown = said("current_task", data)
    acknowledged = said("task_status", {"command": "set_task", "task_status": "running"})

    assert isinstance(shown, TaskReport)
    assert isinstance(acknowledged, TaskReport)
    assert (shown.task, acknowledged.task) == ({"pipeline": {}}, {})


@pytest.mark.parametrize("status", ["running", ""])
def test_a_task_that_is_shown_runs(status: str) -> None:
    """Servers of 2025 name no status; what is acknowledged without one is not known to run."""
    assert TaskReport("", status).is_running
    assert TaskReport("set_task", status).is_running == (status == "running")
    assert not TaskReport("", "paused").is_running
    assert not TaskReport("", "unknown").is_running


def test_an_error_without_data_is_read_from_beside_its_type() -> None:
    """An error is never lost to its shape."""
    assert decode(b'{"message_type": "error", "code": "BAD", "desc": "nope"}') == ErrorReport(
        "BAD", "nope"
    )
    assert decode(b'{"message_type": "error"}') == ErrorReport("", "")


@pytest.mark.parametrize("data", ["{}", '"no json"', "5", "null", "[1]"])
def test_an_unknown_type_is_named_whatever_its_data(data: str) -> None:
    """An unknown message cannot be malformed; a type that is no word is cut."""
    assert decode(f'{{"message_type": "tomorrow", "data": {data}}}') == Unread("tomorrow")
    assert decode('{"message_type": "tomorrow"}') == Unread("tomorrow")
    assert decode(f'{{"message_type": "{"x" * 500}"}}') == Unread("x" * 64)


def test_a_bare_map_tells_the_queues() -> None:
    """The queue status has neither type nor envelope."""
    frame = (
        b'{"es": {"current_queue_level_ms": 1200, "max_queue_level_ms": 3}, '
        b'"de": {"current_queue_level_ms": 0.5, "max_queue_level_ms": "x"}}'
    )

    assert decode(frame) == QueueLevels({"es": 1200, "de": 0}, {"es": 3})
    assert decode(b"{}") == QueueLevels({})


CHUNK = {
    "transcription_id": "t1",
    "translation_part_id": "0",
    "language": "ES",
    "last_chunk": True,
    "data": base64.b64encode(b"\x01\x02").decode(),
    "chunk_generation_delta": None,
}


@pytest.mark.parametrize("data", [CHUNK, {"transcription": CHUNK}, json.dumps(CHUNK)])
def test_a_chunk_of_speech_is_read(data: object) -> None:
    """Flat or nested, its sound is decoded."""
    expected = AudioChunk("t1", "0", LanguageCode("es"), is_last=True, sound=b"\x01\x02")

    assert said("output_audio_data", data) == expected


def test_a_chunk_may_name_nothing() -> None:
    """Sound without id and language is sound."""
    expected = AudioChunk("", "", LanguageCode(""), is_last=False, sound=b"")

    assert said("output_audio_data", {"data": ""}) == expected


@pytest.mark.parametrize("sound", [{}, {"data": None}, {"data": ""}])
def test_the_last_chunk_may_be_without_sound(sound: dict[str, object]) -> None:
    """It ends its utterance all the same."""
    last = {"transcription_id": 17, "language": "es", "last_chunk": True, **sound}
    expected = AudioChunk("17", "", LanguageCode("es"), is_last=True, sound=b"")

    assert said("output_audio_data", last) == expected


@pytest.mark.parametrize("message_type", ["error", "warning"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("X" * 100_000, "X" * 64),
        ("hola mundo\nINFO x", "hola_mundo_INFO_x"),
        ("a.b-C_1", "a.b-C_1"),
    ],
    ids=["long", "unsafe", "harmless"],
)
def test_a_code_may_stand_in_a_log(message_type: str, code: str, expected: str) -> None:
    """Whatever the other side calls a code, it is short and made of harmless characters."""
    read = said(message_type, {"code": code})

    assert isinstance(read, ErrorReport | WarningReport)
    assert read.code == expected


def test_an_unknown_type_may_stand_in_a_log() -> None:
    """So is the name of an unknown message."""
    assert said("new\r\n" + "x" * 100, {}) == Unread("new_" + "x" * 59)


def test_a_frame_of_more_values_than_any_message_is_not_read() -> None:
    """It would take a second to read; the operator learns why it was left out."""
    entries = [{"loc": ["pipeline", number], "msg": "wrong"} for number in range(40_000)]

    assert said("error", entries) == TOO_LARGE
    assert decode("[" * 4_001) == TOO_LARGE


@pytest.mark.parametrize("message_type", ["error", "warning"])
@pytest.mark.parametrize(
    "data",
    [
        [{"loc": ["a"], "msg": "wrong"}] * 900,
        [["no"] * 60] * 60,
        {"desc": "no " * 200_000},
        {"errors": [{"desc": "no " * 200_000}] * 4},
        [{"loc": ["a" * 100_000] * 9, "msg": "no"}],
        "voice " * 50_000,
    ],
    ids=["entries", "lists", "words", "reports", "path", "quadratic"],
)
def test_an_error_of_any_length_is_told_by_its_beginning(message_type: str, data: object) -> None:
    """It is never lost, and no word of it is read for long."""
    read = said(message_type, data)

    assert isinstance(read, ErrorReport | WarningReport)
    words = read.desc if isinstance(read, ErrorReport) else read.text
    assert 0 < len(words) <= 5_000


def test_words_of_any_length_are_told_by_their_beginning() -> None:
    """A book is not said in one sentence."""
    book = "a\n" * 100_000
    read = words("validated_transcription", transcription_id="t1", language="en", text=book)

    assert isinstance(read, Transcript)
    assert len(read.text) <= 5_000
    assert read.text.startswith("a a a")


def test_a_long_id_is_known_by_its_hash() -> None:
    """Hundreds of ids are remembered; two that differ at their end stay two."""
    ids = [
        read.transcription_id
        for end in "aab"
        if isinstance(
            read := words(
                "validated_transcription", transcription_id="x" * 90_000 + end, text="hello"
            ),
            Transcript,
        )
    ]

    assert max(map(len, ids)) <= 128
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("message_type", ["tts_buffer_stats", "pipeline_timings"])
def test_numbers_of_more_languages_than_there_are_mean_nothing(message_type: str) -> None:
    """Two hundred are read, and no more."""
    entry = {"current_queue_level_ms": 1} if message_type == "tts_buffer_stats" else 1
    key = "stats" if message_type == "tts_buffer_stats" else "timings"

    assert said(message_type, {key: {str(it): entry for it in range(201)}}) == MALFORMED
    assert said(message_type, {key: {str(it): entry for it in range(200)}}) != MALFORMED
