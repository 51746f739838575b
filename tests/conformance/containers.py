"""The same sound as WAV and as Ogg Opus, in pieces as long as a message's."""

from __future__ import annotations

import io
import wave
from typing import Final

import av
import numpy as np

from palabra_agent.audio.pcm import Pcm

CHUNK_MS: Final = 320
"""What Palabra recommends for a message."""

_OGG_PAGE: Final = b"OggS"


def wav_pieces(pcm: Pcm, rate: int) -> list[bytes]:
    """A WAV file cut into messages: the header comes with the first one only."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(pcm.tobytes())

    content, size = file.getvalue(), rate * CHUNK_MS // 1000 * 2
    return [content[at : at + size] for at in range(0, len(content), size)]


def opus_pages(pcm: Pcm, rate: int) -> list[bytes]:
    """An Ogg Opus file cut at its pages."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg", options={"page_duration": str(CHUNK_MS * 1000)}) as ogg:
        stream = ogg.add_stream("libopus", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, :], format="s16", layout="mono")
        frame.sample_rate = rate
        ogg.mux(stream.encode(frame))
        ogg.mux(stream.encode(None))

    pages = file.getvalue().split(_OGG_PAGE)
    return [_OGG_PAGE + page for page in pages[1:]]
