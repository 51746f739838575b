"""Frames read into messages: bytes of the data channel or the WebSocket. Pure, and never raises.

Both dialects are understood. `data` may be a JSON string within the JSON, the queue status comes as
a bare map without a type, and what is malformed or unknown is told apart so that it can be counted.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from palabra_agent.interpretation.ports import Transcript
from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.palabra.json_values import as_number, as_object, as_text, as_word, parsed
from palabra_agent.palabra.messages import (
    MALFORMED,
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
)

UNNAMED: Final = "unnamed-"
"""Begins the id that a finished text gets here where Palabra gave it none; made of its words."""

_SPLIT_ID: Final = re.compile(r"(?P<base>.+)_part_(?P<part>\d+)", re.DOTALL)
"""Servers of 2025 named the parts of a split sentence in the id; later ones have a field for it."""

_LONGEST_TYPE: Final = 64
_LARGEST_SOUND: Final = 10_000_000
"""Bytes that one compressed chunk may grow to: minutes, where a fifth of a second is usual."""

_TRANSCRIPTS: Final = {
    # message type: (is final, is translation)
    "partial_transcription": (False, False),
    "validated_transcription": (True, False),
    "partial_translated_transcription": (False, True),
    "translated_transcription": (True, True),
}
_TEXT_KEYS: Final = ("desc", "msg", "message", "description", "detail", "details", "error")
"""Sources disagree on the name of the text; `desc` is what the live service sends."""

_Json: TypeAlias = Mapping[str, Any]


def decode(frame: bytes | str) -> Message:
    """Read a frame as it came."""
    value = parsed(frame)
    # one test of an SDK has the whole message as a JSON string, too
    message = as_object(parsed(value) if isinstance(value, str) else value)
    if message is None:
        return MALFORMED

    message_type = message.get("message_type")
    if message_type is None:
        return _queue_levels(message) or MALFORMED
    if not isinstance(message_type, str):
        return MALFORMED

    read = _READERS.get(message_type)
    if read is None:
        return Unread(as_word(message_type)[:_LONGEST_TYPE])

    inner = message.get("data")
    data = as_object(parsed(inner) if isinstance(inner, str) else inner)
    if data is None and message_type == "error" and inner is None:
        # an error is never lost: one server puts its fields beside the type
        data = message
    return read(data) or MALFORMED if data is not None else MALFORMED


def unzipped(sound: bytes) -> bytes | None:
    """The sound of a chunk in the format `zlib_pcm_s16le`; None where it is none, or endless."""
    if not sound:
        return b""

    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(sound, _LARGEST_SOUND)
    except zlib.error:
        return None

    return plain if stream.eof else None


def _transcript(message_type: str) -> Callable[[_Json], Message | None]:
    is_final, is_translation = _TRANSCRIPTS[message_type]

    def read(data: _Json) -> Message | None:
        body = as_object(data.get("transcription"))
        text = as_text(body.get("text")) if body is not None else None
        if body is None or text is None:
            return None

        identifier, part = _identity(body)
        if not identifier:
            # a partial replaces the one before, so it must say of what
            if not is_final:
                return None
            identifier = UNNAMED + hashlib.sha256(text.encode()).hexdigest()[:16]

        start, end = _span(body.get("segments"))
        return Transcript(
            transcription_id=identifier,
            part=part,
            language=_language(body),
            text=text,
            is_final=is_final,
            is_translation=is_translation,
            start_seconds=start,
            end_seconds=end,
        )

    return read


def _identity(body: _Json) -> tuple[str, str]:
    """The utterance's id, and which part of it this is."""
    identifier = as_text(body.get("transcription_id")) or ""
    split = _SPLIT_ID.fullmatch(identifier)
    if split:
        return split["base"], split["part"]

    return identifier, as_word(body.get("translation_part_id"))


def _language(body: _Json) -> LanguageCode:
    return normalise(as_text(body.get("language")) or "")


def _span(segments: object) -> tuple[float | None, float | None]:
    """When the first segment begins and the last one ends, in seconds of the stream."""
    entries = cast("list[object]", segments) if isinstance(segments, list) else []
    if not entries:
        return None, None

    first, last = as_object(entries[0]) or {}, as_object(entries[-1]) or {}
    return as_number(first.get("start")), as_number(last.get("end"))


def _current_task(data: _Json) -> Message:
    return TaskReport(command="", status=as_word(data.get("task_status")))


def _task_status(data: _Json) -> Message:
    return TaskReport(
        command=as_word(data.get("command")),
        status=as_word(data.get("task_status")) or "unknown",
        event=as_word(data.get("event")),
        transcription_id=as_word(data.get("transcription_id")),
    )


def _error(data: _Json) -> Message:
    code = as_word(data.get("code")) or as_word(data.get("error_code"))
    return ErrorReport(code, _description(data))


def _warning(data: _Json) -> Message:
    return WarningReport(as_word(data.get("code")), _description(data))


def _description(data: _Json) -> str:
    for key in _TEXT_KEYS:
        value = data.get(key)
        words = _entries(cast("list[object]", value)) if isinstance(value, list) else as_word(value)
        if words:
            return words

    return ""


def _entries(listed: list[object]) -> str:
    """A validation error's entries, where they come as objects, in the form that they print as."""
    entries = [entry for entry in map(as_object, listed) if entry is not None]
    return str([_entry(entry) for entry in entries]) if entries else ""


def _entry(entry: _Json) -> dict[str, object]:
    path = entry.get("loc")
    steps = cast("list[object]", path) if isinstance(path, list) else []
    loc = tuple(step if isinstance(step, int) else as_word(step) for step in steps)
    return {"loc": loc, "msg": as_word(entry.get("msg"))}


def _stream_ended(_data: _Json) -> Message:
    return StreamEnded()


def _audio_chunk(data: _Json) -> Message | None:
    # one client looks for the chunk there first, so some server may have put it there
    nested = as_object(data.get("transcription"))
    chunk = nested if nested is not None and "data" in nested else data
    encoded = chunk.get("data")
    if not isinstance(encoded, str):
        return None

    try:
        sound = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None

    identifier, part = _identity(chunk)
    is_last = chunk.get("last_chunk") is True
    return AudioChunk(identifier, part, _language(chunk), is_last, sound)


def _spoken_text(data: _Json) -> Message | None:
    body = as_object(data.get("transcription")) or data
    text = as_text(body.get("text"))
    return SpokenText(*_identity(body), _language(body), text) if text is not None else None


def _pipeline_timings(data: _Json) -> Message | None:
    timings = as_object(data.get("timings"))
    if timings is None:
        return None

    seconds = {name: as_number(value) for name, value in timings.items()}
    known = {as_word(name): value for name, value in seconds.items() if value is not None}
    return PipelineTimings(as_word(data.get("transcription_id")), known)


def _tts_buffer_stats(data: _Json) -> Message | None:
    stats = as_object(data.get("stats"))
    return _queue_levels(stats) if stats is not None else None


def _queue_levels(stats: _Json) -> Message | None:
    levels: dict[str, int] = {}
    maxima: dict[str, int] = {}
    for language, value in stats.items():
        if language == "timestamp":
            continue

        entry = as_object(value) or {}
        level, most = (
            as_number(entry.get(f"{which}_queue_level_ms")) for which in ("current", "max")
        )
        if level is None:
            return None

        levels[as_word(language)] = int(level)
        if most is not None:
            maxima[as_word(language)] = int(most)

    return QueueLevels(levels, maxima, as_number(stats.get("timestamp")))


_READERS: Final[Mapping[str, Callable[[_Json], Message | None]]] = {
    **{message_type: _transcript(message_type) for message_type in _TRANSCRIPTS},
    "current_task": _current_task,
    "task_status": _task_status,
    "error": _error,
    "warning": _warning,
    "output_audio_data": _audio_chunk,
    "tts_text": _spoken_text,
    "tts_buffer_stats": _tts_buffer_stats,
    "pipeline_timings": _pipeline_timings,
    "eos": _stream_ended,
    "end_of_stream": _stream_ended,
}

MESSAGE_TYPES: Final = tuple(_READERS)
"""Every type that is read; all others are counted."""
