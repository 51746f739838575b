"""What Palabra says: frames of the data channel read into frozen classes. Pure, and never raises.

Both dialects are understood. `data` may be a JSON string within the JSON, the queue status comes as
a bare map without a type, and what is malformed or unknown is told apart so that it can be counted.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from palabra_agent.interpretation.ports import Transcript
from palabra_agent.languages import LanguageCode, normalise

_SPLIT_ID: Final = re.compile(r"^(?P<base>.+)_part_(?P<part>\d+)$")
"""Servers of 2025 named the parts of a split sentence in the id; later ones have a field for it."""

_TRANSCRIPTS: Final = {
    # message type: (is final, is translation)
    "partial_transcription": (False, False),
    "validated_transcription": (True, False),
    "partial_translated_transcription": (False, True),
    "translated_transcription": (True, True),
}


@dataclass(frozen=True, slots=True)
class TaskReport:
    """The task's state, asked for (`current_task`) or announced (`task_status`)."""

    command: str
    """The command that it acknowledges; empty where it answers `get_task`."""
    status: str
    """`running`, `paused` or `unknown`; old servers leave it out, and mean `running`."""


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A command was refused, or the session is in trouble."""

    code: str
    desc: str


@dataclass(frozen=True, slots=True)
class WarningReport:
    """Something is not as wished; the session goes on."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """The tail is over; the server closes the connection next."""


@dataclass(frozen=True, slots=True)
class QueueLevels:
    """How much translated speech waits to be spoken, in milliseconds per language."""

    levels_ms: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Translated speech that came as a message; the WebSocket transport alone has these."""

    transcription_id: str
    """The utterance, without a part's suffix."""
    part: str
    """Which part of a split utterance; empty where it is whole."""
    language: LanguageCode
    is_last: bool
    """Whether it is the last of this part."""
    sound: bytes = field(repr=False)
    """Decoded from base64, in the task's output format: 24 kHz mono s16le, perhaps zlib'ed."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A frame that means nothing to us."""

    message_type: str
    """Its type, or `malformed`."""


Message: TypeAlias = (
    Transcript
    | TaskReport
    | ErrorReport
    | WarningReport
    | StreamEnded
    | QueueLevels
    | AudioChunk
    | Unread
)
_Json: TypeAlias = Mapping[str, Any]
_MALFORMED: Final = Unread("malformed")


def decode(frame: bytes | str) -> Message:
    """Read a frame as it came from the data channel."""
    message = _object(_parse(frame))
    if message is None:
        return _MALFORMED

    message_type, inner = message.get("message_type"), message.get("data")
    if message_type is None:
        return _queue_levels(message)

    data = _object(_parse(inner) if isinstance(inner, str) else inner)
    if not isinstance(message_type, str) or data is None:
        return _MALFORMED

    if message_type in _TRANSCRIPTS:
        return _transcript(message_type, data)

    read = _READERS.get(message_type)
    return read(data) if read is not None else Unread(message_type)


def encode(message_type: str, data: Mapping[str, Any]) -> bytes:
    """Write a command for the data channel."""
    return json.dumps({"message_type": message_type, "data": data}, ensure_ascii=False).encode()


def _parse(text: bytes | str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(value: object) -> _Json | None:
    return cast("_Json", value) if isinstance(value, dict) else None


def _transcript(message_type: str, data: _Json) -> Message:
    body = _object(data.get("transcription"))
    if body is None:
        return _MALFORMED

    identifier, language, text = (
        body.get("transcription_id"),
        body.get("language"),
        body.get("text"),
    )
    if not (isinstance(identifier, str) and isinstance(language, str) and isinstance(text, str)):
        return _MALFORMED

    split = _SPLIT_ID.match(identifier)
    part = split["part"] if split else body.get("translation_part_id")
    is_final, is_translation = _TRANSCRIPTS[message_type]
    return Transcript(
        transcription_id=split["base"] if split else identifier,
        part="" if part is None else str(part),
        language=normalise(language),
        text=text,
        is_final=is_final,
        is_translation=is_translation,
    )


def _current_task(data: _Json) -> Message:
    return TaskReport(command="", status=str(data.get("task_status") or "running"))


def _task_status(data: _Json) -> Message:
    return TaskReport(str(data.get("command") or ""), str(data.get("task_status") or "unknown"))


def _error(data: _Json) -> Message:
    return ErrorReport(str(data.get("code") or ""), _first_text(data))


def _warning(data: _Json) -> Message:
    return WarningReport(str(data.get("code") or ""), _first_text(data))


def _stream_ended(_data: _Json) -> Message:
    return StreamEnded()


def _audio_chunk(data: _Json) -> Message:
    encoded, language = data.get("data"), data.get("language")
    identifier = data.get("transcription_id")
    if not (isinstance(encoded, str) and isinstance(language, str) and isinstance(identifier, str)):
        return _MALFORMED

    try:
        sound = base64.b64decode(encoded, validate=True)
    except ValueError:
        return _MALFORMED

    split = _SPLIT_ID.match(identifier)
    part = split["part"] if split else data.get("translation_part_id")
    return AudioChunk(
        transcription_id=split["base"] if split else identifier,
        part="" if part is None else str(part),
        language=normalise(language),
        is_last=data.get("last_chunk") is True,
        sound=sound,
    )


def _first_text(data: _Json) -> str:
    """Sources disagree on the name of the text; `desc` is what the live service sends."""
    for key in ("desc", "msg", "message", "description"):
        if data.get(key):
            return str(data[key])

    return ""


def _queue_levels(message: _Json) -> Message:
    levels: dict[str, int] = {}
    for language, entry in message.items():
        level = (_object(entry) or {}).get("current_queue_level_ms")
        if (
            isinstance(level, bool)
            or not isinstance(level, int | float)
            or not math.isfinite(level)
        ):
            return _MALFORMED

        levels[language] = int(level)

    return QueueLevels(levels)


_READERS: Final[Mapping[str, Callable[[_Json], Message]]] = {
    "current_task": _current_task,
    "task_status": _task_status,
    "error": _error,
    "warning": _warning,
    "output_audio_data": _audio_chunk,
    "eos": _stream_ended,
    "end_of_stream": _stream_ended,
}
