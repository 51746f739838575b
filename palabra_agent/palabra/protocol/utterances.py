"""Messages that hold what somebody says: their words, what is spoken of them, and its sound. Pure.

An utterance and its parts are named in two ways: by servers of 2025 in the id, by later ones in a
field of its own. What was left out is left empty.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from palabra_agent.languages import LanguageCode, normalise
from palabra_agent.palabra.json_values import as_number, as_object, as_text, as_word
from palabra_agent.palabra.protocol.messages import AudioChunk, Message, SpokenText
from palabra_agent.session import Transcript

UNNAMED: Final = "unnamed-"
"""Begins the id that a finished text gets here where Palabra gave it none; made of its words."""

_SPLIT_ID: Final = re.compile(r"(?P<base>.+)_part_(?P<part>\d+)", re.DOTALL)
"""Servers of 2025 named the parts of a split sentence in the id; later ones have a field for it."""

_Json: TypeAlias = Mapping[str, Any]


def read_transcript(data: _Json, *, is_final: bool, is_translation: bool) -> Message | None:
    """Read one of the four types of transcript; None where it is none."""
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


def read_sound(data: _Json) -> Message | None:
    """Read a chunk of translated speech; None where it is none."""
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


def read_spoken_text(data: _Json) -> Message | None:
    """Read the words that are actually spoken; None where there are none."""
    body = as_object(data.get("transcription")) or data
    text = as_text(body.get("text"))
    return SpokenText(*_identity(body), _language(body), text) if text is not None else None


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
