"""Messages from Palabra: a class for each that was ever seen or documented, and `decode`.

`decode` reads the bytes of a data packet or a WebSocket frame into one of them. It never raises.
Both dialects are read at any time: `data` may be a JSON string within the JSON, the levels of the
speech queue come as a bare map without a type, and the part of an utterance stands in its id
(servers of 2025) or in a field of its own. A field that was left out is left empty. A frame that
is malformed or of an unknown type is read too, so that it can be counted.

Field by field, with where each is known from: `docs/palabra.md`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, cast

from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.palabra.json_values import as_number, as_object, as_text, as_word, parsed
from palabra_agent.session import Transcript
from palabra_agent.texts import one_line

UNNAMED: Final = "unnamed-"
"""Begins the id that a finished text gets here where Palabra gave it none; made of its words."""

_LONGEST_NAME: Final = 64
_LONGEST_CODE: Final = 35
_UNSAFE: Final = re.compile(r"[^\w.-]+", re.ASCII)

_SPLIT_ID: Final = re.compile(r"(?P<base>.+)_part_(?P<part>\d+)", re.DOTALL)
"""Servers of 2025 named the parts of a split sentence in the id; later ones have a field for it."""

_TEXT_KEYS: Final = ("desc", "msg", "message", "description", "detail", "details", "error")
"""Sources disagree on the name of the text; `desc` is what the live service sends."""


@dataclass(frozen=True, slots=True)
class TaskReport:
    """The task's state, asked for (`current_task`) or announced (`task_status`)."""

    command: str
    """The command that it acknowledges; empty where it answers `get_task`."""
    status: str
    """`running`, `paused` or `unknown`; empty where a server of 2025 does not say it."""
    event: str = ""
    """The effect of the command: `started`, `updated`, `unchanged`, `resumed`, `paused`…"""
    transcription_id: str = ""
    """The utterance that a `tts_task` became."""

    @property
    def is_running(self) -> bool:
        """True where the task runs; servers that name no status show a task only while it does."""
        return self.status == "running" or (self.status == "" and self.command == "")


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """A command was refused, or the session is in trouble."""

    code: str
    """Such as `VALIDATION_ERROR`, cut to a reasonable length; empty where none is given."""
    desc: str
    """In Palabra's words; a validation error is the printed form of a list of entries."""


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
    """The translated speech that waits to be spoken, in milliseconds per language."""

    levels_ms: Mapping[str, int]
    maxima_ms: Mapping[str, int] = field(default_factory=dict[str, int])
    """Above these the oldest speech is dropped; only for the languages whose maximum is told."""
    timestamp: float | None = None
    """The time of measuring, in epoch seconds; `tts_buffer_stats` alone says it."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Translated speech that came as a message; the WebSocket transport alone has these."""

    transcription_id: str
    """The utterance, without a part's suffix; empty where the chunk names none."""
    part: str
    """The part of a split utterance; empty where it is whole."""
    language: LanguageCode
    """The target; empty where the chunk does not say it."""
    is_last: bool
    """True on the last chunk of this part, which may be without sound."""
    sound: bytes = field(repr=False)
    """Decoded from base64, in the task's output format: 24 kHz mono s16le, perhaps zlib'ed."""


@dataclass(frozen=True, slots=True)
class SpokenText:
    """The words that are actually spoken (`tts_text`); only where the settings ask for them."""

    transcription_id: str
    part: str
    language: LanguageCode
    text: str


@dataclass(frozen=True, slots=True)
class PipelineTimings:
    """The duration of each step for an utterance; only where the settings ask for them."""

    transcription_id: str
    seconds: Mapping[str, float]
    """By step; which steps there are varies."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A frame that means nothing to us."""

    message_type: str
    """Its type, cut to a reasonable length, or `malformed`."""


MALFORMED: Final = Unread("malformed")
"""A frame that is no message, or lacks what its type promises."""

Message: TypeAlias = (
    Transcript
    | TaskReport
    | ErrorReport
    | WarningReport
    | StreamEnded
    | QueueLevels
    | AudioChunk
    | SpokenText
    | PipelineTimings
    | Unread
)

_Json: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[_Json], Message | None]
"""Reads the `data` of one type; None where it lacks what the type promises."""


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


def _transcript(data: _Json, *, is_final: bool, is_translation: bool) -> Message | None:
    body = as_object(data.get("transcription"))
    written = as_text(body.get("text")) if body is not None else None
    if body is None or written is None:
        return None

    # it stands beside our own words in captions, chat and files
    text = one_line(written)
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


def _span(segments: object) -> tuple[float | None, float | None]:
    """Find when the first segment begins and the last one ends, in seconds of the stream."""
    entries = cast("list[object]", segments) if isinstance(segments, list) else []
    if not entries:
        return None, None

    first, last = as_object(entries[0]) or {}, as_object(entries[-1]) or {}
    return as_number(first.get("start")), as_number(last.get("end"))


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


def _identity(body: _Json) -> tuple[str, str]:
    """Find the utterance's id, and which part of it this is."""
    identifier = as_text(body.get("transcription_id")) or ""
    split = _SPLIT_ID.fullmatch(identifier)
    if split:
        return split["base"], split["part"]

    return identifier, as_word(body.get("translation_part_id"))


def _language(body: _Json) -> LanguageCode:
    return normalise(one_line(as_text(body.get("language")) or "", _LONGEST_CODE))


def _current_task(data: _Json) -> Message:
    return TaskReport(command="", status=as_word(data.get("task_status")))


def _task_status(data: _Json) -> Message:
    return TaskReport(
        command=as_word(data.get("command")),
        status=as_word(data.get("task_status")) or "unknown",
        event=as_word(data.get("event")),
        transcription_id=as_word(data.get("transcription_id")),
    )


def _stream_ended(_data: _Json) -> Message:
    return StreamEnded()


def _error(data: _Json) -> Message:
    code = _name(data.get("code")) or _name(data.get("error_code"))
    return ErrorReport(code, _description(data))


def _warning(data: _Json) -> Message:
    return WarningReport(_name(data.get("code")), _description(data))


def _name(value: object) -> str:
    """Make a name fit for a log, so that it cannot disturb it."""
    return _UNSAFE.sub("_", as_word(value)[:_LONGEST_NAME])


def _description(data: _Json) -> str:
    for key in _TEXT_KEYS:
        value = data.get(key)
        words = _entries(cast("list[object]", value)) if isinstance(value, list) else as_word(value)
        if words:
            return words

    return ""


def _entries(listed: list[object]) -> str:
    """Print a validation error's entries, where they come as objects, as Palabra prints them."""
    entries = [entry for entry in map(as_object, listed) if entry is not None]
    return str([_entry(entry) for entry in entries]) if entries else ""


def _entry(entry: _Json) -> dict[str, object]:
    path = entry.get("loc")
    steps = cast("list[object]", path) if isinstance(path, list) else []
    loc = tuple(step if isinstance(step, int) else as_word(step) for step in steps)
    return {"loc": loc, "msg": as_word(entry.get("msg"))}


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


def _pipeline_timings(data: _Json) -> Message | None:
    timings = as_object(data.get("timings"))
    if timings is None:
        return None

    seconds = {name: as_number(value) for name, value in timings.items()}
    known = {as_word(name): value for name, value in seconds.items() if value is not None}
    return PipelineTimings(as_word(data.get("transcription_id")), known)


_READERS: Final[Mapping[str, _Reader]] = {
    "partial_transcription": partial(_transcript, is_final=False, is_translation=False),
    "validated_transcription": partial(_transcript, is_final=True, is_translation=False),
    "partial_translated_transcription": partial(_transcript, is_final=False, is_translation=True),
    "translated_transcription": partial(_transcript, is_final=True, is_translation=True),
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
