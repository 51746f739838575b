"""Sound in the formats in which clients send it by WebSocket."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Iterator
from typing import Any

import av
import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone
from tests.palabra_emulator.client import task


def stream_task(
    source: str,
    *targets: str,
    encoding: str = "pcm_s16le",
    rate: int = 16_000,
    channels: int = 1,
    out: str | None = "pcm_s16le",
    **pipeline: object,
) -> dict[str, Any]:
    """The `data` of a set_task for the WebSocket transport; an utterance ends after 0.3 s."""
    settings = task(source, *targets, **pipeline)
    source_end = {"type": "ws", "format": encoding, "sample_rate": rate, "channels": channels}
    settings["input_stream"] = {"content_type": "audio", "source": source_end}
    target_end = {"content_type": "audio", "target": {"type": "ws", "format": out}}
    settings["output_stream"] = target_end if out else None
    transcription = settings["pipeline"]["transcription"]
    transcription["segment_confirmation_silence_threshold"] = 0.3
    return settings


def spoken(seconds: float, rate: int = 16_000, hush: float = 0.5) -> Pcm:
    """A tone, and as much silence after it as ends an utterance."""
    sound = tone(300, seconds, rate=rate)
    return np.concatenate((sound, np.zeros(round(hush * rate), np.int16)))


def stereo(left: Pcm, right: Pcm) -> Pcm:
    """Two channels interleaved."""
    return np.stack((left, right), axis=1).reshape(-1)


def wav(pcm: Pcm, rate: int, channels: int = 1) -> bytes:
    """A WAV file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())

    return content.getvalue()


def read_wav(content: bytes) -> tuple[int, Pcm]:
    """The rate and the samples of a WAV file."""
    with wave.open(io.BytesIO(content), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), np.int16)


def ogg_opus(pcm: Pcm, rate: int, channels: int = 1, *, page_ms: int = 1000) -> bytes:
    """An Ogg Opus file."""
    content = io.BytesIO()
    layout = "mono" if channels == 1 else "stereo"
    options = {"page_duration": str(page_ms * 1000)}
    with av.open(content, "w", format="ogg", options=options) as container:
        stream = container.add_stream("libopus", rate=rate)
        stream.layout = layout
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)

    return content.getvalue()


def pieces(payload: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes up."""
    return (payload[start : start + size] for start in range(0, len(payload), size))


def as_text(payload: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(payload).decode()
