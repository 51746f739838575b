"""The formats in which Palabra takes and gives sound over a WebSocket, packed into messages."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from typing import Final, Protocol

import av
import numpy as np

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler
from palabra_agent.palabra.protocol.commands import LEAST_SOUND_BYTES
from palabra_agent.palabra.task.sections import WebSocketFormat

_SAMPLE_BYTES: Final = 2
_ENDLESS: Final = 0xFFFFFFFF
"""The length of a WAV file that is not over yet."""
_LARGEST_SOUND: Final = 2_000_000
"""Bytes that one compressed chunk may grow to: 40 s, where a fifth of a second is usual."""

_PACKET_MS: Final = 20
_SPEECH_BITS: Final = 48_000
"""Per second and channel: nothing that a recogniser could use is lost."""


class Encoder(Protocol):
    """Packs one running sound, chunk by chunk."""

    def encode(self, chunk: Pcm) -> bytes:
        """Pack the next chunk; empty where it can only be sent with the one after it."""
        ...


class PcmEncoder:
    """Bare samples, little end first, channels in turn."""

    def __init__(self, rate: int, channels: int) -> None:
        self._channels = channels
        self._resampler = Resampler(SAMPLE_RATE, rate)

    def encode(self, chunk: Pcm) -> bytes:
        """Pack the next chunk."""
        return np.repeat(self._resampler.push(chunk), self._channels).astype("<i2").tobytes()


class WavEncoder:
    """A WAV file that never ends: one header, then bare samples."""

    def __init__(self, rate: int, channels: int) -> None:
        self._samples = PcmEncoder(rate, channels)
        self._header = wav_header(rate, channels)

    def encode(self, chunk: Pcm) -> bytes:
        """Pack the next chunk, the first one with the header before it."""
        header, self._header = self._header, b""
        return header + self._samples.encode(chunk)


class OpusEncoder:
    """An Ogg Opus stream, at a constant bit rate so that silence does not shrink to nothing."""

    def __init__(self, rate: int, channels: int, chunk_ms: int) -> None:
        self._resampler = Resampler(SAMPLE_RATE, rate)
        least_bits = LEAST_SOUND_BYTES * 8 * 1000 // chunk_ms
        self._stream = OggOpusWriter(rate, channels, least_bits=least_bits)
        self._pages = b""

    def encode(self, chunk: Pcm) -> bytes:
        """Pack the next chunk; the first pages of very short chunks wait for more."""
        self._pages += self._stream.write(self._resampler.push(chunk))
        if len(self._pages) < LEAST_SOUND_BYTES:
            return b""

        pages, self._pages = self._pages, b""
        return pages


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
    """A file that only grows, of which the written part is taken away."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, pages: bytes) -> int:
        self._written += pages
        return len(pages)

    def collect(self) -> bytes:
        pages = bytes(self._written)
        self._written.clear()
        return pages


def make_encoder(formats: WebSocketFormat) -> Encoder:
    """Make the encoder of what is sent to Palabra."""
    match formats.format:
        case "pcm_s16le":
            return PcmEncoder(formats.sample_rate, formats.channels)
        case "wav":
            return WavEncoder(formats.sample_rate, formats.channels)
        case "opus":
            return OpusEncoder(formats.sample_rate, formats.channels, formats.chunk_ms)


def unpack(formats: WebSocketFormat, sound: bytes) -> bytes | None:
    """Unpack what Palabra sent into bare samples; None where it is corrupt, or endless."""
    return _unzipped(sound) if formats.output_format == "zlib_pcm_s16le" else sound


def _unzipped(sound: bytes) -> bytes | None:
    if not sound:
        return b""

    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(sound, _LARGEST_SOUND)
    except zlib.error:
        return None

    return plain if stream.eof else None


def wav_header(rate: int, channels: int) -> bytes:
    """Make the header of a WAV file of 16 bit samples and unknown length."""
    block = channels * _SAMPLE_BYTES
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", _ENDLESS, b"WAVE", b"fmt ", 16, 1),
        *(channels, rate, rate * block, block, 8 * _SAMPLE_BYTES, b"data", _ENDLESS),
    )
