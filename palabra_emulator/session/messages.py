"""Palabra's messages as JSON objects, and their way out: in order, encoded as Palabra does."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Message: TypeAlias = dict[str, object]

PARTIAL: Final = "partial_transcription"
VALIDATED: Final = "validated_transcription"
TRANSLATED: Final = "translated_transcription"
PARTIAL_TRANSLATED: Final = "partial_translated_transcription"

TranscriptionKind: TypeAlias = Literal[
    "partial_transcription",
    "validated_transcription",
    "translated_transcription",
    "partial_translated_transcription",
]
TaskEvent: TypeAlias = Literal[
    "started", "updated", "unchanged", "resumed", "paused", "interrupted", "queued"
]

_CAPACITY: Final = 2_000


@dataclass(frozen=True, slots=True)
class TranscriptText:
    """A text about one stretch of sound."""

    transcription_id: str
    language: str
    text: str
    start: float
    """Seconds from the beginning of the stream."""
    end: float
    stream_began: float
    """Epoch seconds."""
    part: int | None = None
    """`translation_part_id`, which only translations have."""


@dataclass(frozen=True, slots=True)
class SoundChunk:
    """A piece of one translation's speech."""

    transcription_id: str
    language: str
    content: bytes
    is_last: bool
    part: int | None = None
    """Here Palabra writes it as a text, in transcriptions as a number."""


def transcription(kind: TranscriptionKind, said: TranscriptText) -> Message:
    """A transcription or translation, partial or final."""
    body: Message = {"transcription_id": said.transcription_id}
    if said.part is not None:
        body["translation_part_id"] = said.part

    segment = {
        "text": said.text,
        "start": round(said.start, 3),
        "end": round(said.end, 3),
        "start_timestamp": round(said.stream_began + said.start, 6),
        "end_timestamp": round(said.stream_began + said.end, 6),
        "words": _words(said),
    }
    body |= {"language": said.language, "text": said.text, "segments": [segment]}
    return _message(kind, {"transcription": body})


def tts_text(transcription_id: str, language: str, text: str) -> Message:
    """The text that is actually spoken."""
    body: Message = {"transcription_id": transcription_id, "language": language, "text": text}
    return _message("tts_text", {"transcription": body})


def output_audio_data(chunk: SoundChunk) -> Message:
    """A piece of speech, for a client whose sound comes in messages."""
    body: Message = {"transcription_id": chunk.transcription_id}
    if chunk.part is not None:
        body["translation_part_id"] = str(chunk.part)

    body |= {"language": chunk.language, "last_chunk": chunk.is_last}
    body |= {"data": base64.b64encode(chunk.content).decode(), "chunk_generation_delta": None}
    return _message("output_audio_data", body)


def pipeline_timings(transcription_id: str, timings: Mapping[str, float]) -> Message:
    """The time that each step took, in seconds."""
    return _message(
        "pipeline_timings", {"transcription_id": transcription_id, "timings": dict(timings)}
    )


def current_task(task: Mapping[str, object], status: str) -> Message:
    """The task as it stands."""
    return _message("current_task", {**task, "task_status": status})


def task_status(
    command: str, event: TaskEvent, status: str, transcription_id: str | None = None
) -> Message:
    """The acknowledgement of a command."""
    fields: Message = {"command": command, "event": event, "task_status": status}
    if transcription_id is not None:
        fields["transcription_id"] = transcription_id

    return _message("task_status", fields)


def error(code: str, desc: object) -> Message:
    """A refusal, or the reason of an end; Palabra may describe it by a text or by a list."""
    return _message("error", {"code": code, "desc": desc, "param": None})


def warning(code: str, text: str) -> Message:
    """Something that the client should know, and that ends nothing."""
    return _message("warning", {"code": code, "message": text})


def voice_not_found(voice_id: str) -> Message:
    """A voice that does not exist; another speaks in its place."""
    text = f"Voice ID '{voice_id}' is not available, using default voice"
    return warning("VOICE_NOT_FOUND", text)


def service_timeout(seconds: float) -> Message:
    """The server has heard nothing for so long, and ends the session."""
    reason = f"No input audio received for {seconds:g}s."
    return error("SERVICE_TIMEOUT", f"{reason} Use the pause_task command for intentional pauses.")


def ends_of_stream(name: str) -> tuple[Message, ...]:
    """Nothing more will come; said by one name, or by `both`."""
    names = ("eos", "end_of_stream") if name == "both" else (name,)
    return tuple(_message(it, {}) for it in names)


def queue_map(levels: Mapping[str, tuple[int, int]]) -> Message:
    """The bare map of queue levels (current, max) in ms, which has no message type."""
    return {
        language: {"current_queue_level_ms": current, "max_queue_level_ms": highest}
        for language, (current, highest) in levels.items()
    }


def tts_buffer_stats(levels: Mapping[str, tuple[int, int]], timestamp: float) -> Message:
    """The queue levels as a message of their own."""
    return _message("tts_buffer_stats", {"stats": {**queue_map(levels), "timestamp": timestamp}})


def _message(message_type: str, fields: Message) -> Message:
    return {"message_type": message_type, "data": fields}


def _words(said: TranscriptText) -> list[Message]:
    words = said.text.split()
    step = (said.end - said.start) / max(1, len(words))
    return [
        {
            "word": word,
            "start": round(said.start + place * step, 3),
            "end": round(said.start + (place + 1) * step, 3),
        }
        for place, word in enumerate(words)
    ]


class MessageQueue:
    """Messages of one session; the oldest are forgotten when there are too many."""

    def __init__(
        self,
        double_encode: Literal["never", "always", "mixed"],
        seed: int,
        distort: Callable[[Message], Sequence[Message]] = lambda message: [message],
    ) -> None:
        self._double_encode = double_encode
        self._distort = distort
        self._random = random.Random(seed)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_CAPACITY)

    def post(self, message: Message) -> None:
        """Say something, or what a fault makes of it."""
        for distorted in self._distort(message):
            self.push(self._encoded(distorted))

    def push(self, packet: bytes) -> None:
        """Send a packet as it is."""
        if self._queue.full():
            self.take()
            self.done()

        self._queue.put_nowait(packet)

    async def next(self) -> bytes:
        """Wait for the next packet; say `done` when it is delivered."""
        return await self._queue.get()

    def take(self) -> bytes | None:
        """The next packet, if there is one now."""
        return None if self._queue.empty() else self._queue.get_nowait()

    def clear(self) -> None:
        """Forget the messages that were not sent."""
        while self.take() is not None:
            self.done()

    def done(self) -> None:
        """A packet that was taken needs no more care."""
        self._queue.task_done()

    async def delivered(self) -> None:
        """Wait until everything that was said is delivered."""
        await self._queue.join()

    def _encoded(self, message: Message) -> bytes:
        """The packet; `data` may be JSON within JSON, the bare map of queue levels never is."""
        body = message.get("data")
        if "message_type" in message and self._is_double():
            message = {**message, "data": json.dumps(body, ensure_ascii=False)}

        try:
            return json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character; within JSON it can be written down
            return json.dumps(message).encode()

    def _is_double(self) -> bool:
        if self._double_encode == "mixed":
            return self._random.random() < 0.5

        return self._double_encode == "always"
