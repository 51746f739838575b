"""What Palabra says, as frozen classes: every message that it was ever seen or documented to send.

`decoding` reads frames into them, for both transports and both dialects. Field by field, with where
each is known from: `docs/palabra.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from palabra_agent.languages import LanguageCode
from palabra_agent.session import Transcript


@dataclass(frozen=True, slots=True)
class TaskReport:
    """The task's state, asked for (`current_task`) or announced (`task_status`)."""

    command: str
    """The command that it acknowledges; empty where it answers `get_task`."""
    status: str
    """`running`, `paused` or `unknown`; empty where a server of 2025 does not say it."""
    event: str = ""
    """What the command did: `started`, `updated`, `unchanged`, `resumed`, `paused`, `queued`…"""
    transcription_id: str = ""
    """The utterance that a `tts_task` became."""

    @property
    def is_running(self) -> bool:
        """Whether the task runs; servers that name no status show a task only while it does."""
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
    """How much translated speech waits to be spoken, in milliseconds per language."""

    levels_ms: Mapping[str, int]
    maxima_ms: Mapping[str, int] = field(default_factory=dict[str, int])
    """Above these the oldest speech is dropped; only for the languages whose maximum is told."""
    timestamp: float | None = None
    """When it was measured, in epoch seconds; `tts_buffer_stats` alone says it."""


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Translated speech that came as a message; the WebSocket transport alone has these."""

    transcription_id: str
    """The utterance, without a part's suffix; empty where the chunk names none."""
    part: str
    """Which part of a split utterance; empty where it is whole."""
    language: LanguageCode
    """The target; empty where the chunk does not say it."""
    is_last: bool
    """Whether it is the last of this part; it may be without sound."""
    sound: bytes = field(repr=False)
    """Decoded from base64, in the task's output format: 24 kHz mono s16le, perhaps zlib'ed."""


@dataclass(frozen=True, slots=True)
class SpokenText:
    """The words that are actually spoken (`tts_text`); only where somebody asks for this type."""

    transcription_id: str
    part: str
    language: LanguageCode
    text: str


@dataclass(frozen=True, slots=True)
class PipelineTimings:
    """How long each step took for an utterance; only where somebody asks for this type."""

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


def encode(message_type: str, data: Mapping[str, Any]) -> bytes:
    """Write a command as it goes over the wire."""
    return json.dumps({"message_type": message_type, "data": data}, ensure_ascii=False).encode()
