"""Sound as an Ogg Opus stream that can be read while it is still being written."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import av
import numpy as np

from palabra_agent.audio.pcm import Pcm

_PACKET_MS: Final = 20
_SPEECH_BITS: Final = 48_000
"""Per second and channel: nothing that a recogniser could use is lost."""


class OggOpusWriter:
    """One Ogg Opus stream. Every packet is a page of its own, and only the newest waits."""

    def __init__(self, rate: int, channels: int, *, least_bits: int) -> None:
        """Begin a stream.

        Args:
            rate: Samples per second, one of those that Opus knows.
            channels: 1 or 2; both hear the same.
            least_bits: Per second, at least; the bit rate is constant.
        """
        self._rate, self._channels = rate, channels
        self._layout = "mono" if channels == 1 else "stereo"
        self._pages = _Pages()
        options = {"page_duration": str(_PACKET_MS * 1000), "flush_packets": "1"}
        self._container = av.open(self._pages, "w", format="ogg", options=options)
        self._stream = self._container.add_stream(
            "libopus",
            rate=rate,
            layout=self._layout,
            bit_rate=max(_SPEECH_BITS * channels, least_bits),
            options={"vbr": "off", "frame_duration": str(_PACKET_MS), "application": "voip"},
        )
        self._samples = 0

    def write(self, pcm: Pcm) -> bytes:
        """Add sound, and get the pages that are complete."""
        interleaved = np.repeat(pcm, self._channels)[np.newaxis, :]
        frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=self._layout)
        frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
        frame.pts = self._samples
        self._samples += pcm.size
        self._container.mux(self._stream.encode(frame))
        return self._pages.collect()


class _Pages:
    """A file that only grows, of which somebody takes away what is written."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, pages: bytes) -> int:
        self._written += pages
        return len(pages)

    def collect(self) -> bytes:
        pages = bytes(self._written)
        self._written.clear()
        return pages
