"""How sound travels in messages: what a task says about its streams, and the formats' limits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.speaking import SPEECH_RATE
from palabra_emulator.task import Task

InputEncoding: TypeAlias = Literal["pcm_s16le", "wav", "opus"]
OutputEncoding: TypeAlias = Literal["pcm_s16le", "zlib_pcm_s16le"]

INPUT_ENCODINGS: Final[tuple[InputEncoding, ...]] = ("pcm_s16le", "wav", "opus")
OUTPUT_ENCODINGS: Final[tuple[OutputEncoding, ...]] = ("pcm_s16le", "zlib_pcm_s16le")

LOWEST_RATE: Final = 16_000
HIGHEST_RATE: Final = 48_000
"""Between these is what a client may send."""

_CHUNK_SAMPLES: Final = SPEECH_RATE // 5
_USUAL_RATE: Final = 24_000
"""What Palabra's own client sends unless told otherwise."""


@dataclass(frozen=True, slots=True)
class InputFormat:
    """What the client sends."""

    encoding: InputEncoding
    sample_rate: int
    channels: int


def incoming(task: Task) -> InputFormat | None:
    """How a task's sound comes in; nothing where it does not come in messages."""
    end = _end(task, "input_stream", "source")
    known: dict[object, InputEncoding] = {encoding: encoding for encoding in INPUT_ENCODINGS}
    encoding = known.get(end.get("format") or INPUT_ENCODINGS[0])
    rate = _whole(end, "sample_rate", _USUAL_RATE)
    channels = _whole(end, "channels", 1)
    is_understood = LOWEST_RATE <= rate <= HIGHEST_RATE and channels in {1, 2}
    if encoding is None or not is_understood or not _is_by_messages(end):
        return None

    return InputFormat(encoding, rate, channels)


def outgoing(task: Task) -> OutputEncoding | None:
    """How a task's speech goes out; nothing where it does not go out in messages."""
    end = _end(task, "output_stream", "target")
    if not task.has_speech or not _is_by_messages(end):
        return None

    known: dict[object, OutputEncoding] = {encoding: encoding for encoding in OUTPUT_ENCODINGS}
    return known.get(end.get("format") or OUTPUT_ENCODINGS[0])


def in_chunks(pcm: Pcm, encoding: OutputEncoding) -> list[bytes]:
    """Speech in the pieces in which it is sent, at least one; each is compressed alone."""
    chunks = [
        pcm[start : start + _CHUNK_SAMPLES].astype("<i2").tobytes()
        for start in range(0, max(1, pcm.size), _CHUNK_SAMPLES)
    ]
    return [zlib.compress(it) for it in chunks] if encoding == "zlib_pcm_s16le" else chunks


def _end(task: Task, stream: str, name: str) -> Mapping[str, object]:
    found = task.full.get(stream)
    end = cast("Mapping[str, object]", found).get(name) if isinstance(found, dict) else None
    return cast("Mapping[str, object]", end) if isinstance(end, dict) else {}


def _whole(end: Mapping[str, object], name: str, usual: int) -> int:
    """A number; 0 where there is something else."""
    value = end.get(name) or usual
    return int(value) if isinstance(value, int | float) else 0


def _is_by_messages(end: Mapping[str, object]) -> bool:
    return end.get("type") in {None, "ws"}
