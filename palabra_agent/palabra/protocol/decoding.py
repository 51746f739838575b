"""Frames read into messages: bytes of the data channel or the WebSocket. Pure, and never raises.

Both dialects are understood. `data` may be a JSON string within the JSON, the queue status comes as
a bare map without a type, and what is malformed or unknown is told apart so that it can be counted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias, cast

from palabra_agent.palabra.json_values import as_number, as_object, as_word, parsed
from palabra_agent.palabra.protocol.messages import (
    MALFORMED,
    ErrorReport,
    Message,
    PipelineTimings,
    QueueLevels,
    StreamEnded,
    TaskReport,
    Unread,
    WarningReport,
)
from palabra_agent.palabra.protocol.utterances import read_sound, read_spoken_text, read_transcript

_LONGEST_NAME: Final = 64
_UNSAFE: Final = re.compile(r"[^\w.-]+", re.ASCII)
_LARGEST_SOUND: Final = 10_000_000
"""Bytes that one compressed chunk may grow to: minutes, where a fifth of a second is usual."""

_TEXT_KEYS: Final = ("desc", "msg", "message", "description", "detail", "details", "error")
"""Sources disagree on the name of the text; `desc` is what the live service sends."""

_Json: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[_Json], Message | None]


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
        return Unread(_name(message_type))

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
    code = _name(data.get("code")) or _name(data.get("error_code"))
    return ErrorReport(code, _description(data))


def _warning(data: _Json) -> Message:
    return WarningReport(_name(data.get("code")), _description(data))


def _name(value: object) -> str:
    """A name that may stand in a log, whoever made it up."""
    return _UNSAFE.sub("_", as_word(value)[:_LONGEST_NAME])


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


_READERS: Final[Mapping[str, _Reader]] = {
    "partial_transcription": partial(read_transcript, is_final=False, is_translation=False),
    "validated_transcription": partial(read_transcript, is_final=True, is_translation=False),
    "partial_translated_transcription": partial(
        read_transcript, is_final=False, is_translation=True
    ),
    "translated_transcription": partial(read_transcript, is_final=True, is_translation=True),
    "current_task": _current_task,
    "task_status": _task_status,
    "error": _error,
    "warning": _warning,
    "output_audio_data": read_sound,
    "tts_text": read_spoken_text,
    "tts_buffer_stats": _tts_buffer_stats,
    "pipeline_timings": _pipeline_timings,
    "eos": _stream_ended,
    "end_of_stream": _stream_ended,
}

MESSAGE_TYPES: Final = tuple(_READERS)
"""Every type that is read; all others are counted."""
