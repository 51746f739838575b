"""Captions and chat as a person in the room reads them: text streams made into frozen facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CAPTION_TOPIC: Final = "lk.transcription"
CHAT_TOPIC: Final = "lk.chat"


@dataclass(frozen=True, slots=True)
class Caption:
    """One version of one caption; a later one with the same segment id replaces it."""

    segment_id: str
    speaker: str
    """Identity in whose name it was sent."""
    text: str
    language: str
    is_final: bool
    is_translated: bool
    track_id: str
    """The track that it belongs to: a microphone or a channel."""
    at: float
    """When it had been read, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message in the chat."""

    sender: str
    """Identity of whoever sent it."""
    text: str
    kind: str
    """`transcription` or `translation`; empty for what people and the agent itself write."""
    speaker: str
    """Identity of whoever said it, for the two kinds."""
    language: str
    transcription_id: str
    at: float
    """When it had been read, by the monotonic clock."""


def caption(text: str, sender: str, attributes: Mapping[str, str], at: float) -> Caption:
    """Understand a text stream on the caption topic."""
    return Caption(
        segment_id=attributes.get("lk.segment_id", ""),
        speaker=sender,
        text=text,
        language=attributes.get("language", ""),
        is_final=attributes.get("lk.transcription_final") == "true",
        is_translated=attributes.get("translated") == "true",
        track_id=attributes.get("lk.transcribed_track_id", ""),
        at=at,
    )


def chat_message(text: str, sender: str, attributes: Mapping[str, str], at: float) -> ChatMessage:
    """Understand a text stream on the chat topic."""
    return ChatMessage(
        sender=sender,
        text=text,
        kind=attributes.get("palabra.kind", ""),
        speaker=attributes.get("palabra.speaker", ""),
        language=attributes.get("language", ""),
        transcription_id=attributes.get("palabra.transcription_id", ""),
        at=at,
    )
