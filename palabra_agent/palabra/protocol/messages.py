"""Messages from Palabra: a class for each that was ever seen or documented, and `decode`.

`decode` reads the bytes of a data packet or a WebSocket frame into one of them. It never raises.
Both dialects are read at any time: `data` may be a JSON string within the JSON, the levels of the
speech queue come as a bare map without a type, and the part of an utterance stands in its id
(servers of 2025) or in a field of its own. A message means the same in any shape: with its fields
beside the type, in a list of one, with numbers and truths as texts, with ids as numbers, with its
type and its states in capitals. A field that was left out, or is null, is left empty. An error or a
warning is not lost, whatever its data is. A frame that is malformed or of an unknown type is read
too, so that it can be counted. No frame takes more than some milliseconds: of words that are longer
than any, the beginning is read, and one of more values than any is not read at all.

A further type is a line in `_READERS`. One that transcribes reaches captions as a `Transcript` by
that line alone; what another kind means for the task `conversation.py` says. The types that a task
may ask for are listed in `palabra/task/settings.py`: `MessageType`, and `TRANSCRIPTION_TYPES`.
Field by field, with where each is known from: `docs/palabra.md`.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias, cast

from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.palabra.json_values import (
    as_flag,
    as_number,
    as_object,
    as_text,
    as_word,
    is_excessive,
    opened,
    parsed,
)
from palabra_agent.session import Transcript
from palabra_agent.texts import LONGEST_TEXT, one_line

UNNAMED: Final = "unnamed-"
"""Begins the id that a finished text gets here where Palabra gave it none; made of its words."""

_UNUSABLE: Final = "unusable-"
"""Begins the id that stands for one of Palabra's that could not be passed on; made of that."""

_LONGEST_ID: Final = 128
_LONGEST_NAME: Final = 64
_LONGEST_CODE: Final = 35
_LONGEST_WORDS: Final = 5_000
"""Characters of an error, of which some hundreds are shown."""
_TELLING_WORDS: Final = 1_000
"""A code that was left out is looked for in so many characters."""
_MOST_ENTRIES: Final = 20
"""Of a list of errors."""
_MOST_NAMES: Final = 200
"""Languages, or steps, for which one message tells a number."""
_UNSAFE: Final = re.compile(r"[^\w.-]+", re.ASCII)

_SPLIT_ID: Final = re.compile(r"(?P<base>.+)_part_(?P<part>\d+)", re.DOTALL)
"""Servers of 2025 named the parts of a split sentence in the id; later ones have a field for it."""

_CODE_KEYS: Final = ("code", "error_code")
_TEXT_KEYS: Final = ("desc", "msg", "message", "description", "detail", "details")
"""Sources disagree on the name of the text; `desc` is what the live service sends."""
_REPORT_KEYS: Final = ("error", "errors", "data")
"""Under these stands a text, or a whole report."""
_DEEPEST_REPORT: Final = 4

_INVALID: Final = "VALIDATION_ERROR"
_CODE_IN_WORDS: Final = re.compile(
    r"\W*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b|\s*([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*\Z"
)
"""A code that stands before the words, or in their place."""
_ERRORS_IN_WORDS: Final = (
    (re.compile(r"validation[ _]?error|'loc': |non-empty message_type", re.IGNORECASE), _INVALID),
    (re.compile(r"no active task|task not found", re.IGNORECASE), "NOT_FOUND"),
    (re.compile(r"no input audio", re.IGNORECASE), "SERVICE_TIMEOUT"),
)
_WARNINGS_IN_WORDS: Final = (
    (re.compile(r"\bvoice\b.*\bnot (available|found)", re.IGNORECASE), "VOICE_NOT_FOUND"),
)
"""Palabra's sentences, by which a code is known that was left out."""


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
    task: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False, repr=False)
    """The task as Palabra shows it, in answer to `get_task`; empty where it does not."""

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

TOO_LARGE: Final = Unread("too_large")
"""A frame that may hold more values than any message; it is not read."""

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
_Reader: TypeAlias = Callable[[object], Message | None]
"""Reads the `data` of one type, of any shape; None where it lacks what the type promises."""


def decode(frame: bytes | str) -> Message:
    """Read a frame as it came."""
    if is_excessive(frame):
        return TOO_LARGE

    # one test of an SDK has the whole message as a JSON string, too
    message = as_object(opened(parsed(frame)))
    if message is None:
        return MALFORMED

    message_type = as_text(message.get("message_type"))
    if message_type is None:
        is_map = message.get("message_type") is None
        return (_queue_levels(message) if is_map else None) or MALFORMED

    read = _READERS.get(message_type.strip().lower().replace("-", "_"))
    if read is None:
        return Unread(_name(message_type))

    return read(_data_of(message)) or MALFORMED


def _data_of(message: _Json) -> object:
    """Find what a message says; its fields may stand in `data`, or beside the type."""
    data = opened(message.get("data"))
    beside = {key: it for key, it in message.items() if key not in {"message_type", "data"}}
    fields = {} if data is None else as_object(data)
    if fields is not None:
        return {**beside, **fields}

    return {**beside, "data": data} if beside else data


def _fields(value: object) -> _Json:
    """Read an object in any wrapping; what is none has no fields."""
    return as_object(opened(value)) or {}


def _transcript(data: object, *, is_final: bool, is_translation: bool) -> Message | None:
    body = _transcription(data)
    written = _text(body)
    if written is None:
        return None

    # it stands beside our own words in captions, chat and files
    text = one_line(written[: 2 * LONGEST_TEXT], LONGEST_TEXT)
    identifier, part = _identity(body)
    if not identifier:
        # a partial replaces the one before, so it must say of what
        if not is_final:
            return None
        identifier = UNNAMED + _digest(text)

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


def _transcription(data: object) -> _Json:
    """Find the fields of an utterance, which stand under a name or for themselves."""
    fields = _fields(data)
    return _fields(fields.get("transcription")) or fields


def _text(body: _Json) -> str | None:
    """Find the words, be they a number; None where there are none."""
    text = as_text(body.get("text"))
    return as_word(body.get("text")) or None if text is None else text


def _span(segments: object) -> tuple[float | None, float | None]:
    """Find when the first segment begins and the last one ends, in seconds of the stream."""
    found = opened(segments)
    entries = cast("list[object]", found) if isinstance(found, list) else [found]
    if not entries:
        return None, None

    return as_number(_fields(entries[0]).get("start")), as_number(_fields(entries[-1]).get("end"))


def _audio_chunk(data: object) -> Message | None:
    # one client looks for the chunk there first, so some server may have put it there
    fields = _fields(data)
    nested = _fields(fields.get("transcription"))
    chunk = nested if "data" in nested else fields
    is_last = as_flag(chunk.get("last_chunk"))
    encoded = as_text(chunk.get("data"))
    if encoded is None and not is_last:
        return None

    try:
        sound = base64.b64decode(encoded or "", validate=True)
    except ValueError:
        return None

    identifier, part = _identity(chunk)
    return AudioChunk(identifier, part, _language(chunk), is_last, sound)


def _spoken_text(data: object) -> Message | None:
    body = _transcription(data)
    text = _text(body)
    if text is None:
        return None

    return SpokenText(*_identity(body), _language(body), one_line(text, LONGEST_TEXT))


def _identity(body: _Json) -> tuple[str, str]:
    """Find the utterance's id, and which part of it this is."""
    identifier = as_word(body.get("transcription_id"))
    split = _SPLIT_ID.fullmatch(identifier)
    if split:
        return _id(split["base"]), _id(split["part"])

    return _id(identifier), _id(as_word(body.get("translation_part_id")))


def _id(written: str) -> str:
    """Leave an id as it is, unless it is none that may stand in the attributes of a text."""
    if len(written) <= _LONGEST_ID and written.isascii() and written.isprintable():
        return written

    return _UNUSABLE + _digest(written)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _language(body: _Json) -> LanguageCode:
    return normalise(one_line(as_text(body.get("language")) or "", _LONGEST_CODE))


def _current_task(data: object) -> Message:
    fields = _fields(data)
    # one client looks for the task there first
    task = _fields(fields.get("current_task")) or fields
    return TaskReport(command="", status=_status(task, data), task=task)


def _task_status(data: object) -> Message:
    fields = _fields(data)
    return TaskReport(
        command=_state(fields.get("command")),
        status=_status(fields, data) or "unknown",
        event=_state(fields.get("event")),
        transcription_id=_id(as_word(fields.get("transcription_id"))),
    )


def _status(fields: _Json, data: object) -> str:
    """Read whether the task runs, where nothing else may be said."""
    return _state(fields.get("task_status")) or _state(fields.get("data", data))


def _state(value: object) -> str:
    """Read one of Palabra's own words, in whatever letters."""
    return as_word(value)[:_LONGEST_NAME].strip().lower()


def _stream_ended(_data: object) -> Message:
    return StreamEnded()


def _error(data: object) -> Message:
    return ErrorReport(*_coded(*_report(data), _ERRORS_IN_WORDS))


def _warning(data: object) -> Message:
    return WarningReport(*_coded(*_report(data), _WARNINGS_IN_WORDS))


def _coded(code: str, words: str, known: Iterable[tuple[re.Pattern[str], str]]) -> tuple[str, str]:
    """Make the code fit for a log; where none is said, the words may tell it."""
    words = words[:_LONGEST_WORDS]
    if code:
        return _name(code), words

    found = _CODE_IN_WORDS.match(words)
    if found is not None:
        return _name(found[1] or found[2]), words[found.end() :].lstrip(" :-\n") or words

    telling = words[:_TELLING_WORDS]
    return next((meant for pattern, meant in known if pattern.search(telling)), ""), words


def _report(data: object, depth: int = _DEEPEST_REPORT) -> tuple[str, str]:
    """Find the code and the words of an error or a warning, in whatever it came as."""
    value = opened(data)
    if depth == 0:
        return "", ""
    if isinstance(value, list):
        return _report_of_list(cast("list[object]", value), depth)

    fields = as_object(value)
    if fields is None:
        return "", as_word(value)
    if "loc" in fields:
        return _INVALID, str([_entry(fields)])

    return _report_of_fields(fields, depth)


def _report_of_fields(fields: _Json, depth: int) -> tuple[str, str]:
    code = next(filter(None, (as_word(fields.get(key)) for key in _CODE_KEYS)), "")
    for key in filter(fields.__contains__, (*_TEXT_KEYS, *_REPORT_KEYS)):
        inner_code, words = _report(fields.get(key), depth - 1)
        if words or (inner_code and not code):
            return code or inner_code, words

    return code, ""


def _report_of_list(listed: list[object], depth: int) -> tuple[str, str]:
    """Read the entries of a validation error, as Palabra prints them; or reports, as one."""
    listed = listed[:_MOST_ENTRIES]
    entries = [entry for entry in map(as_object, listed) if entry is not None]
    if any("loc" in entry for entry in entries):
        return _INVALID, str([_entry(entry) for entry in entries])

    reports = [_report(it, depth - 1) for it in listed]
    code = next((code for code, _ in reports if code), "")
    return code, "; ".join(words for _, words in reports if words)


def _name(value: object) -> str:
    """Make a name fit for a log, so that it cannot disturb it."""
    return _UNSAFE.sub("_", as_word(value)[:_LONGEST_NAME])


def _entry(entry: _Json) -> dict[str, object]:
    path = entry.get("loc")
    steps = cast("list[object]", path)[:_MOST_ENTRIES] if isinstance(path, list) else [path]
    loc = tuple(
        step if isinstance(step, int) else as_word(step) for step in steps if step is not None
    )
    return {"loc": loc, "msg": as_word(entry.get("msg")) or as_word(entry.get("message"))}


def _tts_buffer_stats(data: object) -> Message | None:
    fields = _fields(data)
    return _queue_levels(_fields(fields["stats"])) if "stats" in fields else None


def _queue_levels(stats: _Json) -> Message | None:
    levels: dict[str, int] = {}
    maxima: dict[str, int] = {}
    if len(stats) > _MOST_NAMES:
        return None

    for language, value in stats.items():
        if language == "timestamp":
            continue

        entry = _fields(value)
        level, most = (
            as_number(entry.get(f"{which}_queue_level_ms")) for which in ("current", "max")
        )
        if level is None:
            return None

        code = one_line(as_word(language), _LONGEST_CODE)
        levels[code] = int(level)
        if most is not None:
            maxima[code] = int(most)

    return QueueLevels(levels, maxima, as_number(stats.get("timestamp")))


def _pipeline_timings(data: object) -> Message | None:
    fields = _fields(data)
    if "timings" not in fields:
        return None

    timings = _fields(fields["timings"])
    if len(timings) > _MOST_NAMES:
        return None

    seconds = {name: as_number(value) for name, value in timings.items()}
    known = {_name(name): value for name, value in seconds.items() if value is not None}
    return PipelineTimings(_id(as_word(fields.get("transcription_id"))), known)


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
