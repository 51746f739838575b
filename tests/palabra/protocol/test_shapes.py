"""Palabra's messages in shapes that no page shows: whatever the shape, the meaning is kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import (
    MALFORMED,
    AudioChunk,
    ErrorReport,
    Message,
    PipelineTimings,
    QueueLevels,
    SpokenText,
    StreamEnded,
    TaskReport,
    WarningReport,
    decode,
)
from palabra_agent.palabra.protocol.task_errors import VOICE_NOT_FOUND, ErrorKind, error_kind
from palabra_agent.session import Transcript
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

_WORDS = {"transcription_id": "17", "language": "es-mx", "text": "hola"}
_SPAN = {**_WORDS, "segments": [{"start": 0.5, "end": 2, "words": []}]}
_SOUND = base64.b64encode(b"\x01\x02").decode()
_VALID: list[tuple[str, dict[str, Any], Message]] = [
    (
        "partial_transcription",
        {"transcription": _WORDS},
        transcript("hola", language="es-mx", identifier="17", is_final=False),
    ),
    (
        "validated_transcription",
        {"transcription": _SPAN},
        Transcript(
            "17",
            "",
            LanguageCode("es-mx"),
            "hola",
            is_final=True,
            is_translation=False,
            start_seconds=0.5,
            end_seconds=2,
        ),
    ),
    (
        "translated_transcription",
        {"transcription": {**_WORDS, "translation_part_id": 3}},
        translated("hola", "es-mx", identifier="17", part="3"),
    ),
    ("current_task", {"task_status": "running"}, TaskReport("", "running")),
    ("current_task", {"task_status": "paused"}, TaskReport("", "paused")),
    (
        "task_status",
        {"command": "set_task", "event": "resumed", "task_status": "running"},
        TaskReport("set_task", "running", "resumed"),
    ),
    (
        "task_status",
        {"command": "tts_task", "task_status": "running", "transcription_id": "17"},
        TaskReport("tts_task", "running", "", "17"),
    ),
    ("error", {"code": "NOT_FOUND", "desc": "no task"}, ErrorReport("NOT_FOUND", "no task")),
    ("error", {"code": "500", "desc": "oh"}, ErrorReport("500", "oh")),
    ("warning", {"code": "STALLED", "message": "oh"}, WarningReport("STALLED", "oh")),
    ("eos", {}, StreamEnded()),
    ("end_of_stream", {}, StreamEnded()),
    (
        "output_audio_data",
        {"transcription_id": "17", "language": "es", "last_chunk": True, "data": _SOUND},
        AudioChunk("17", "", LanguageCode("es"), is_last=True, sound=b"\x01\x02"),
    ),
    ("tts_text", {"transcription": _WORDS}, SpokenText("17", "", LanguageCode("es-mx"), "hola")),
    (
        "tts_buffer_stats",
        {"stats": {"es": {"current_queue_level_ms": 5, "max_queue_level_ms": 9}, "timestamp": 1.5}},
        QueueLevels({"es": 5}, {"es": 9}, 1.5),
    ),
    (
        "pipeline_timings",
        {"transcription_id": "17", "timings": {"tts": 0.5}},
        PipelineTimings("17", {"tts": 0.5}),
    ),
]
_OWN_WORDS = {"message_type", "task_status", "command", "event", "language"}
_NEW_FIELDS = st.dictionaries(
    st.sampled_from(["tomorrow", "extra_2"]),
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    max_size=2,
)
_SAME_LETTERS: list[Callable[[str], str]] = [str, str.upper, str.title]


def reshaped(draw: st.DataObject, value: Any, name: str = "", *, is_map: bool = False) -> Any:  # noqa: ANN401 - any JSON
    """Write a value in another way that means the same."""
    choose = draw.draw
    if isinstance(value, dict):
        # the names in these are languages and steps, so a new one is news
        holds_names = name in {"stats", "timings"} or is_map
        inner = {key: reshaped(draw, it, key) for key, it in value.items()}
        value = inner if holds_names else {**choose(_NEW_FIELDS), **inner}
    elif isinstance(value, list):
        return [reshaped(draw, it) for it in value]
    elif name in _OWN_WORDS:
        value = choose(st.sampled_from(_SAME_LETTERS))(value)
    elif value is True:
        value = choose(st.sampled_from([True, "true", "True", 1]))
    elif isinstance(value, int | float):
        value = choose(st.sampled_from([value, str(value), float(value)]))
    elif isinstance(value, str) and value.isdecimal():
        value = choose(st.sampled_from([value, int(value)]))
    if isinstance(value, dict) and choose(st.booleans()):
        value = json.dumps(value)

    return [value] if choose(st.booleans()) else value


@given(st.data(), st.sampled_from(_VALID))
def test_the_meaning_is_kept_in_any_shape(
    draw: st.DataObject, valid: tuple[str, dict[str, Any], Message]
) -> None:
    """In a list of one, in JSON texts, with numbers and truths as texts, with unknown fields."""
    message_type, data, meant = valid
    message = reshaped(draw, {"message_type": message_type, "data": data})

    assert decode(json.dumps(message)) == meant


@given(st.data(), st.sampled_from(_VALID))
def test_fields_may_stand_beside_the_type(
    draw: st.DataObject, valid: tuple[str, dict[str, Any], Message]
) -> None:
    """A message without `data`, or with null in its place, has its fields elsewhere, or none."""
    message_type, data, meant = valid
    absent = draw.draw(st.sampled_from([{}, {"data": None}]))
    message = {**absent, "message_type": message_type, **data}

    assert decode(json.dumps(message)) == meant


@pytest.mark.parametrize(
    "data",
    [{"code": None}, "STALLED", "STALLED: oh", ["STALLED", "oh"], [["oh"], 5], 5, True, [], ""],
)
@pytest.mark.parametrize("message_type", ["error", "warning", "ERROR", " Warning "])
def test_an_error_is_one_whatever_its_data_is(message_type: str, data: object) -> None:
    """Neither it nor a warning is ever lost."""
    read = decode(json.dumps({"message_type": message_type, "data": data}))

    assert isinstance(read, ErrorReport | WarningReport)
    assert isinstance(read, ErrorReport) == (message_type.strip().lower() == "error")


_ENTRY = {"loc": ["pipeline", "transcription"], "msg": "field required", "type": "missing"}
_PRINTED = "[{'loc': ('pipeline', 'transcription'), 'msg': 'field required'}]"


@pytest.mark.parametrize(
    ("data", "code", "desc", "kind"),
    [
        ("VALIDATION_ERROR: bad voice", "VALIDATION_ERROR", "bad voice", ErrorKind.SOME_COMMAND),
        ("validation_error", "validation_error", "validation_error", ErrorKind.SOME_COMMAND),
        ("Validation error in `x`", "VALIDATION_ERROR", "Validation error in `x`", None),
        (
            f"ValidationError(model='SetTaskRequestMessage', errors={_PRINTED})",
            "VALIDATION_ERROR",
            f"ValidationError(model='SetTaskRequestMessage', errors={_PRINTED})",
            ErrorKind.SETTINGS,
        ),
        (_PRINTED, "VALIDATION_ERROR", _PRINTED, ErrorKind.SETTINGS),
        ([_ENTRY], "VALIDATION_ERROR", _PRINTED, ErrorKind.SETTINGS),
        (
            [_ENTRY, {"loc": "pipeline", "message": "no"}],
            "VALIDATION_ERROR",
            "[{'loc': ('pipeline', 'transcription'), 'msg': 'field required'}, "
            "{'loc': ('pipeline',), 'msg': 'no'}]",
            ErrorKind.SETTINGS,
        ),
        ({"errors": [_ENTRY]}, "VALIDATION_ERROR", _PRINTED, ErrorKind.SETTINGS),
        ({"code": 422, "detail": [_ENTRY]}, "422", _PRINTED, ErrorKind.SETTINGS),
        ([{"code": "VALIDATION_ERROR", "desc": "no"}], "VALIDATION_ERROR", "no", None),
        ({"error": {"code": "ValidationError", "message": "no"}}, "ValidationError", "no", None),
        ("No active task found", "NOT_FOUND", "No active task found", ErrorKind.NO_TASK),
        ({"code": "not-found", "desc": "x"}, "not-found", "x", ErrorKind.NO_TASK),
        ({"code": "NotFound"}, "NotFound", "", ErrorKind.NO_TASK),
        ({"code": 404, "desc": "x"}, "404", "x", ErrorKind.NO_TASK),
        ("Insufficient balance", "", "Insufficient balance", ErrorKind.DENIED),
        (["403 Forbidden"], "", "403 Forbidden", ErrorKind.DENIED),
        ("slow down", "", "slow down", ErrorKind.UNCLEAR),
        ({"code": "service_timeout"}, "service_timeout", "", ErrorKind.NO_SOUND),
    ],
)
def test_an_error_is_understood_in_any_shape(
    data: object, code: str, desc: str, kind: ErrorKind | None
) -> None:
    """Its code may stand in its words, or be known by its form or by Palabra's own sentence."""
    for frame in ({"data": data}, {"data": data, "request_id": 5}, {"data": json.dumps(data)}):
        read = decode(json.dumps({"message_type": "error", **frame}))

        assert read == ErrorReport(code, desc)
        assert isinstance(read, ErrorReport)
        assert error_kind(read) is (kind or ErrorKind.SOME_COMMAND)


@pytest.mark.parametrize(
    "data", ["Voice ID 'x' is not available, using default voice", ["voice not found"]]
)
def test_a_missing_voice_is_known_by_its_sentence(data: object) -> None:
    """A warning without a code means what it says."""
    read = decode(json.dumps({"message_type": "warning", "data": data}))

    assert isinstance(read, WarningReport)
    assert read.code == VOICE_NOT_FOUND


@pytest.mark.parametrize("data", ["running", ["Running"], '"running"'])
def test_a_state_may_be_all_that_is_said(data: object) -> None:
    """Of the task's state the bare word is enough."""
    for extra in ({}, {"id": 1}):
        message = {"message_type": "current_task", "data": data, **extra}
        assert decode(json.dumps(message)) == TaskReport("", "running")


@pytest.mark.parametrize("data", [None, [], "x", 5, {}, {"transcription": None}, [1]])
def test_words_without_words_stay_malformed(data: object) -> None:
    """A shape is not read into what is not there."""
    message = {"message_type": "validated_transcription", "data": data}

    assert decode(json.dumps(message)) == MALFORMED
