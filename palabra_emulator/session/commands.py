"""The commands of a client, and the reading of a packet as one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from palabra_emulator.session.validator import Fields, InvalidCommand

_LONGEST_TEXT: Final = 2048
_EOS_RANGE: Final = (1.0, 30.0)

NOT_A_COMMAND: Final = "Message should contain non-empty message_type field"
"""The server's general answer to what it does not know."""


class UnknownCommand(Exception):
    """A packet that is no command of this server."""


@dataclass(frozen=True, slots=True)
class SetTask:
    """Start, update or resume a task."""

    settings: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class GetTask:
    """Show the task."""

    exclude_hidden: bool


@dataclass(frozen=True, slots=True)
class PauseTask:
    """Listen no longer, until the next `set_task`."""


@dataclass(frozen=True, slots=True)
class EndTask:
    """End the session."""

    force: bool
    """Without the tail."""
    eos_timeout: float | None
    """The quiet between the last speech and the end of the stream."""


@dataclass(frozen=True, slots=True)
class InterruptTask:
    """Drop the phrase under way and what is queued."""

    languages: frozenset[str]
    """Target codes; `global` for everything."""
    pause: bool


@dataclass(frozen=True, slots=True)
class TtsTask:
    """Speak a text."""

    text: str
    language: str
    translate: bool
    """True if the text is to be translated to all targets first."""


Command: TypeAlias = SetTask | GetTask | PauseTask | EndTask | InterruptTask | TtsTask


@dataclass(frozen=True, slots=True)
class Envelope:
    """A packet that is a message of some type."""

    message_type: str
    fields: Mapping[str, object]
    """Its `data`; empty where it is absent or no object."""


def open_envelope(payload: bytes) -> Envelope:
    """Read a packet as far as its type.

    Raises:
        UnknownCommand: It is not JSON, has no message type, or holds half a character.
    """
    try:
        frame: object = json.loads(payload)
    except (ValueError, RecursionError):
        raise UnknownCommand from None
    if not isinstance(frame, dict):
        raise UnknownCommand

    message = cast("dict[str, object]", frame)
    message_type = message.get("message_type")
    if not isinstance(message_type, str) or not message_type:
        raise UnknownCommand

    envelope = Envelope(message_type, _fields(message.get("data")))
    if rb"\ud" in payload.lower() and not _is_text(envelope):
        raise UnknownCommand

    return envelope


def read_command(envelope: Envelope, *, accepts_flush: bool) -> Command:
    """Read a message as a command.

    Raises:
        UnknownCommand: There is no such command.
        InvalidCommand: Its fields are wrong.
    """
    fields = Fields(envelope.fields)
    match envelope.message_type:
        case "set_task":
            command: Command = SetTask(envelope.fields)
        case "get_task":
            command = GetTask(exclude_hidden=fields.flag("exclude_hidden", default=True))
        case "pause_task":
            command = PauseTask()
        case "end_task":
            command = _end_task(fields)
        case "interrupt_task":
            command = _interrupt_task(fields)
        case "flush_task" if accepts_flush:
            command = _interrupt_task(fields)
        case "tts_task":
            command = _tts_task(fields)
        case _:
            raise UnknownCommand

    if fields.errors:
        raise InvalidCommand(_model(envelope.message_type), fields.errors)

    return command


def _fields(data: object) -> Mapping[str, object]:
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return {}

    return cast("dict[str, object]", data) if isinstance(data, dict) else {}


def _is_text(envelope: Envelope) -> bool:
    """True if nothing in a message is a lone surrogate, which JSON can express and UTF-8 cannot."""
    try:
        json.dumps([envelope.message_type, envelope.fields], ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False

    return True


def _end_task(fields: Fields) -> EndTask:
    is_forced = fields.flag("force", default=False)
    if fields.values.get("eos_timeout") is None:
        return EndTask(is_forced, None)

    lowest, highest = _EOS_RANGE
    timeout = fields.number("eos_timeout", lowest, ge=lowest, le=highest)
    return EndTask(is_forced, timeout)


def _interrupt_task(fields: Fields) -> InterruptTask:
    languages = frozenset(fields.texts("languages")) or frozenset({"global"})
    return InterruptTask(languages, fields.flag("pause_task", default=False))


def _tts_task(fields: Fields) -> TtsTask:
    fields.require("text")
    fields.require("language")
    text = fields.text("text") or ""
    if len(text) > _LONGEST_TEXT:
        reason = f"ensure this value has at most {_LONGEST_TEXT} characters"
        fields.note(
            "text", reason, "value_error.any_str.max_length", {"limit_value": _LONGEST_TEXT}
        )
    elif "text" in fields.values and not text.strip():
        reason = "ensure this value has at least 1 characters"
        fields.note("text", reason, "value_error.any_str.min_length", {"limit_value": 1})

    is_translated = fields.flag("translate_text", default=False)
    return TtsTask(text, fields.text("language") or "", is_translated)


def _model(message_type: str) -> str:
    return "".join(word.capitalize() for word in message_type.split("_")) + "RequestMessage"
