"""Frames of Palabra's, read in the words of the rows, and compared with them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any, Final

from palabra_agent.languages import base, normalise
from palabra_agent.palabra.protocol.conversation import TaskConversation
from palabra_agent.palabra.protocol.events import SessionEnded
from palabra_agent.palabra.protocol.messages import (
    MALFORMED,
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
from palabra_agent.palabra.protocol.task_errors import entries_of
from palabra_agent.palabra.task.sections import WebSocketFormat
from palabra_agent.palabra.transports.sound_formats import unpack
from palabra_agent.session import Transcript

from .rows import Json, Row, Rule, differences

SOUND_RATE: Final = 24_000

_KINDS: Final = {
    (False, False): "partial_transcription",
    (True, False): "validated_transcription",
    (False, True): "partial_translated_transcription",
    (True, True): "translated_transcription",
}


def frame_of(row: Row) -> str | bytes:
    """The frame as it goes over the wire."""
    frame = row["frame"]
    text = frame if row.get("raw") else json.dumps(frame, ensure_ascii=False)
    is_binary = row.get("encoding") == "binary utf-8" or row["transport"] == "webrtc"
    return text.encode() if is_binary else text


def read(row: Row) -> Message:
    """Read a server's frame, its sound unpacked as the row's context says."""
    frame = frame_of(row)
    message = decode(frame)
    assert message == decode(frame.encode() if isinstance(frame, str) else frame.decode())

    context: Json = row.get("context") or {}
    if isinstance(message, AudioChunk) and "output_format" in context:
        formats = WebSocketFormat(output_format=context["output_format"])
        sound = unpack(formats, message.sound)
        if sound is None:
            return MALFORMED
        return AudioChunk(
            message.transcription_id, message.part, message.language, message.is_last, sound
        )

    return message


def facts_of(message: Message) -> Json:
    """Tell what was read in the words of the rows; an unknown text is None."""
    match message:
        case Transcript():
            identifier = message.transcription_id
            return {
                "kind": _KINDS[message.is_final, message.is_translation],
                "transcription_id": None if identifier.startswith(UNNAMED) else identifier,
                "part": message.part or None,
                "language": message.language or None,
                "text": message.text,
                "final": message.is_final,
                "translation": message.is_translation,
                "start": message.start_seconds,
                "end": message.end_seconds,
            }
        case AudioChunk():
            return {
                "kind": "audio",
                "transcription_id": message.transcription_id or None,
                "part": message.part or None,
                "language": message.language or None,
                "last": message.is_last,
                "samples": len(message.sound) // 2,
                "sample_rate": SOUND_RATE,
                "channels": 1,
                "pcm": list(struct.unpack(f"<{len(message.sound) // 2}h", _even(message.sound))),
            }
        case TaskReport():
            return {
                "kind": "task_status" if message.command else "current_task",
                "command": message.command,
                "event": message.event,
                "status": message.status or None,
                "transcription_id": message.transcription_id,
                "ready": message.is_running and message.command in {"", "set_task"},
            }
        case _:
            return _other_facts(message)


def _other_facts(message: Message) -> Json:
    match message:
        case ErrorReport():
            code = message.code or None
            fields = entries_of(message.desc)
            return {"kind": "error", "code": code, "text": message.desc, "fields": fields}
        case WarningReport(code, text):
            return {"kind": "warning", "code": code, "text": text, "fatal": _is_fatal(message)}
        case QueueLevels():
            levels = {
                language: {"current": level, "max": message.maxima_ms.get(language)}
                for language, level in message.levels_ms.items()
            }
            return {"kind": "queue_levels", "levels": levels, "timestamp": message.timestamp}
        case PipelineTimings(identifier, seconds):
            timings = dict(seconds)
            return {"kind": "pipeline_timings", "transcription_id": identifier, "timings": timings}
        case SpokenText():
            return {
                "kind": "tts_text",
                "transcription_id": message.transcription_id,
                "part": message.part or None,
                "language": message.language or None,
                "text": message.text,
            }
        case StreamEnded():
            return {"kind": "end_of_stream"}
        case _:
            assert isinstance(message, Unread)
            is_malformed = message == MALFORMED
            kind = "ignored_malformed" if is_malformed else "unknown"
            return {"kind": kind, "type": message.message_type}


def fact_differences(expected: Mapping[str, Any], facts: Json) -> list[str]:
    """Where a reading is not what is expected."""
    return differences(expected, facts, _RULES)


def is_equal(key: str) -> Rule[Json]:
    """Compare a fact as it is."""
    return lambda value, facts, _: facts.get(key) == value


def _kind(value: str, facts: Json, _: Mapping[str, Any]) -> bool:
    is_unseen = facts["kind"] in {"unknown", "ignored_malformed", "ignored"}
    return facts["kind"] == value or (value == "ignored" and is_unseen)


def _identifier(value: str | None, facts: Json, expected: Mapping[str, Any]) -> bool:
    """An id with a part in it is read as the id and the part."""
    if "base_id" in expected:
        return value == f"{facts['transcription_id']}_part_{facts['part']}"

    return facts.get("transcription_id") == value


def _language(value: str | None, facts: Json, _: Mapping[str, Any]) -> bool:
    return facts.get("language") == (None if value is None else normalise(value))


def _holds_all(value: list[str], facts: Json, _: Mapping[str, Any]) -> bool:
    return all(text in facts["text"] for text in value)


def _holds_any(value: list[str], facts: Json, _: Mapping[str, Any]) -> bool:
    return any(text in facts["text"] for text in value)


def _fields(value: list[Json], facts: Json, _: Mapping[str, Any]) -> bool:
    found: list[tuple[tuple[str, ...], str]] = facts["fields"]
    return len(value) == len(found) and all(
        tuple(map(str, field["loc"])) == path and field.get("msg", words) == words
        for field, (path, words) in zip(value, found, strict=True)
    )


def _code(value: str | None, facts: Json, expected: Mapping[str, Any]) -> bool:
    return "any_code" in expected or facts.get("code") == value


def _status(value: str | None, facts: Json, expected: Mapping[str, Any]) -> bool:
    return "any_status" in expected or facts.get("status") == value


_AS_THEY_ARE: Final = (
    "text final translation start end samples sample_rate channels last pcm deliver levels "
    "timestamp timings fatal command event ready type surface session_continues meaning "
    "before_validated valid source targets transport exclude_hidden force eos_timeout "
    "languages pause translate base64_len expected worded_by retry"
).split()

_RULES: Final[Mapping[str, Rule[Json]]] = {
    **{key: is_equal(key) for key in _AS_THEY_ARE},
    "kind": _kind,
    "transcription_id": _identifier,
    "base_id": lambda value, facts, _: facts["transcription_id"] == value,
    "part": lambda value, facts, _: facts.get("part") == (None if value is None else str(value)),
    "part_missing": lambda value, facts, _: (facts["part"] is None) is value,
    "language": _language,
    "base_language": lambda value, facts, _: base(facts["language"]) == value,
    "code": _code,
    "any_code": lambda value, facts, _: facts["code"] in value,
    "desc_contains": _holds_all,
    "text_contains": _holds_all,
    "any_text": _holds_any,
    "fields": _fields,
    "status": _status,
    "any_status": lambda value, facts, _: facts["status"] in value,
    # why something is to be ignored; that it is, its kind says
    "reason": lambda _value, facts, _: facts["kind"] in {"ignored", "ignored_malformed"},
    # facts that only a conversation has
    "not_before_ms": lambda value, facts, _: facts["waited_ms"] >= value,
    "may_coalesce": lambda value, facts, _: value is True and facts["final"] is False,
    "correction": lambda value, facts, _: facts["final"] is value,
}


def _even(sound: bytes) -> bytes:
    return sound[: len(sound) // 2 * 2]


def _is_fatal(message: Message) -> bool:
    """Tell whether it ends a conversation."""
    return any(isinstance(it, SessionEnded) for it in TaskConversation().receive(message, 0.0))
