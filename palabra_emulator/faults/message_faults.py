"""Messages spoilt by a fault: texts, packets, and the names of tracks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Final, TypeAlias, cast

from palabra_agent.languages import base
from palabra_emulator.faults.catalogue import NothingComesOut, OddTexts, WrongTracks
from palabra_emulator.faults.injection import SessionFaults
from palabra_emulator.session import messages
from palabra_emulator.session.messages import Message

_RENAMING: Final = frozenset({"wrong_case", "base_code"})
"""The variants that show even without tracks: in the language of the sound."""

_KINDS: Final = frozenset(
    {messages.PARTIAL, messages.VALIDATED, messages.TRANSLATED, messages.PARTIAL_TRANSLATED}
)
_FINAL: Final = frozenset(
    {messages.VALIDATED, messages.TRANSLATED, "tts_text", _SOUND := "output_audio_data"}
)
_PART: Final = re.compile(r"_part_\d+$")
_Change: TypeAlias = Callable[[Message], None]


def offered_as(
    faults: SessionFaults, language: str, beside: Sequence[str] = (), *, has_tracks: bool = True
) -> str | None:
    """The code under which a language is offered; None where it is not.

    Args:
        faults: The session's.
        language: The code as the task has it.
        beside: All codes that are offered; two of them are never called alike.
        has_tracks: Whether there are tracks, or sound in messages.
    """
    fault = faults.trigger_once(
        "tracks",
        WrongTracks,
        NothingComesOut,
        fits=lambda it: has_tracks or it.variant in _RENAMING,
    )
    match fault.variant if fault is not None else "":
        case "never" | "no_track":
            return None
        case "wrong_case":
            return language.upper()
        case "base_code":
            short = str(base(language))
            is_alone = sum(base(other) == short for other in beside) <= 1
            return short if is_alone else language
        case _:
            return language


def junk(variant: str, size: int) -> bytes:
    """A packet of a kind that no client understands."""
    match variant:
        case "array":
            return b'[{"message_type": "warning"}, 1, null]'
        case "empty":
            return b"{}"
        case "no_type":
            return b'{"data": {"text": "a message of no type"}}'
        case "unknown_type":
            return b'{"message_type": "emulated_novelty", "data": {"level": 1}}'
        case "bad_data":
            return b'{"message_type": "validated_transcription", "data": "{\\"transcription\\": "}'
        case "huge":
            frame = {"message_type": "emulated_novelty", "data": {"text": ""}}
            frame["data"] = {"text": "x" * max(0, size - len(json.dumps(frame)))}
            return json.dumps(frame).encode()
        case "binary":
            return bytes(range(256))
        case "cut":
            return b'{"message_type": "validated_transcription", "data": {"transcrip'
        case _:
            return b"this is no JSON"


class MessageFaults:
    """Says of each message what is sent in its place."""

    def __init__(self, faults: SessionFaults) -> None:
        self._faults = faults
        self._held: Message | None = None
        """A translation that waits to be overtaken."""

    def __call__(self, message: Message) -> list[Message]:
        """The messages that are sent in its place; usually itself."""
        sent = [it for one in self._in_order(message) for it in self._distorted(one)]
        return sent if message.get("message_type") != _SOUND else self._as_tracks(sent)

    def _distorted(self, message: Message) -> list[Message]:
        variant = self._variant(message)
        if variant == "duplicates":
            return [message] if message["message_type"] == _SOUND else [message, message]
        if variant == "late_partial" and message["message_type"] == messages.VALIDATED:
            return [message, _partial(message)]

        change = _CHANGES.get(variant)
        if change is None:
            return [message]

        changed = deepcopy(message)
        change(changed)
        return [changed]

    def _in_order(self, message: Message) -> list[Message]:
        held, self._held = self._held, None
        is_translation = message.get("message_type") == messages.TRANSLATED
        if held is not None:
            is_other = is_translation and _id(held) == _id(message)
            return [message, held] if is_other else [held, message]
        if is_translation and self._variant(message) == "reordered":
            self._held = message
            return []

        return [message]

    def _variant(self, message: Message) -> str:
        """The distortion of the utterance that a text is about; empty for none."""
        kind = message.get("message_type")
        if kind not in _KINDS and kind not in _FINAL:
            return ""

        utterance = _PART.sub("", _id(message))
        fault = self._faults.trigger_once("text", OddTexts, what=utterance)
        return fault.variant if fault is not None else ""

    def _as_tracks(self, sent: list[Message]) -> list[Message]:
        """Sound in messages, under the names that its tracks would have."""
        heard: list[Message] = []
        for message in sent:
            body = _body(message)
            if "language" in body:
                language = str(body["language"])
                name = offered_as(self._faults, language, has_tracks=False)
                body = {**body, "language": name or language}
            heard.append({**message, "data": body})

        return heard


def _body(message: Message) -> Message:
    content = cast("Message", message["data"])
    return cast("Message", content.get("transcription", content))


def _id(message: Message) -> str:
    return str(_body(message)["transcription_id"])


def _partial(validated: Message) -> Message:
    late = deepcopy(validated)
    late["message_type"] = messages.PARTIAL
    body = _body(late)
    body["text"] = str(body["text"])[: max(1, len(str(body["text"])) // 2)]
    return late


def _segments(message: Message) -> list[Message]:
    return cast("list[Message]", _body(message).get("segments", []))


def _without(field: str) -> _Change:
    def change(message: Message) -> None:
        for segment in _segments(message):
            segment.pop(field, None)

    return change


def _null_end(message: Message) -> None:
    for segment in _segments(message):
        segment["end_timestamp"] = None


def _part_id(message: Message) -> None:
    if message["message_type"] in _FINAL:
        body, own_id = _body(message), _id(message)
        body["transcription_id"] = own_id if _PART.search(own_id) else f"{own_id}_part_0"
        body.pop("translation_part_id", None)


def _bare(field: str) -> _Change:
    def change(message: Message) -> None:
        _body(message).pop(field, None)

    return change


_CHANGES: Final[dict[str, _Change]] = {
    "no_end_timestamp": _without("end_timestamp"),
    "null_end_timestamp": _null_end,
    "no_words": _without("words"),
    "part_ids": _part_id,
    "no_segments": _bare("segments"),
    "no_language": _bare("language"),
}
