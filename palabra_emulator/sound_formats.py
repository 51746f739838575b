"""The decoders of sound that comes in messages: raw samples, and WAV in all the ways it is sent."""

from __future__ import annotations

import struct
from typing import Final, Protocol

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.opus_sound import OpusDecoder
from palabra_emulator.resampling import Resampler
from palabra_emulator.sound_errors import BadSound
from palabra_emulator.stream_formats import HIGHEST_RATE, LOWEST_RATE, InputFormat

_RIFF: Final = b"RIFF"
_CHUNK_HEADER: Final = 8
_FIRST_CHUNK: Final = 12
_LONGEST_HEADER: Final = 64 * 1024
_PCM_CODES: Final = frozenset({0x0001, 0xFFFE})
"""Plain samples, and plain samples with an extended description."""

_BITS: Final = 16


class Decoder(Protocol):
    """Turns one stream of messages into mono sound at the hearing rate."""

    def decode(self, payload: bytes, /) -> Pcm:
        """Take the next message's sound.

        Raises:
            BadSound: It is not what it should be.
        """
        ...


def decoder_of(sound: InputFormat) -> Decoder:
    """A decoder for a new stream."""
    match sound.encoding:
        case "pcm_s16le":
            return SamplesDecoder(sound.sample_rate, sound.channels)
        case "wav":
            return WavDecoder(sound.sample_rate, sound.channels)
        case "opus":
            return OpusDecoder()


class SamplesDecoder:
    """Raw 16-bit samples, mono or interleaved; a sample may be cut between two messages."""

    def __init__(self, rate: int, channels: int) -> None:
        self._channels = channels
        self._resampler = Resampler(rate)
        self._rest = b""

    def decode(self, payload: bytes) -> Pcm:
        """Take the next samples."""
        payload = self._rest + payload
        frames = len(payload) // (2 * self._channels)
        whole = frames * 2 * self._channels
        self._rest = payload[whole:]
        samples = np.frombuffer(payload[:whole], dtype="<i2").astype(np.int16)
        return self._resampler.take(_mixed(samples, self._channels))


class WavDecoder:
    """WAV whose header comes once, with every message, or not at all; it counts before the task."""

    def __init__(self, rate: int, channels: int) -> None:
        self._format = (rate, channels)
        self._samples = SamplesDecoder(rate, channels)
        self._header = b""
        """The beginning of a header that is not complete yet."""

    def decode(self, payload: bytes) -> Pcm:
        """Take the next bytes of the stream.

        Raises:
            BadSound: A header is broken, or describes something else than 16-bit samples.
        """
        payload = self._header + payload
        self._header = b""
        if not payload.startswith(_RIFF):
            return self._samples.decode(payload)

        chunks = self._read_header(payload)
        return np.zeros(0, np.int16) if chunks is None else self._samples.decode(chunks)

    def _read_header(self, payload: bytes) -> bytes | None:
        """Follow a header; returns the samples after it, or nothing while it is not complete."""
        place = _FIRST_CHUNK
        while place + _CHUNK_HEADER <= len(payload):
            name, size = struct.unpack_from("<4sI", payload, place)
            place += _CHUNK_HEADER
            if name == b"data":
                return payload[place : place + size] if size > 0 else payload[place:]
            if name == b"fmt " and place + size <= len(payload):
                self._follow(payload[place : place + size])
            place += size + size % 2

        if len(payload) > _LONGEST_HEADER:
            raise BadSound("a WAV header without samples after it")

        self._header = payload
        return None

    def _follow(self, description: bytes) -> None:
        if len(description) < 16:
            raise BadSound("a WAV header that is too short")

        code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", description)
        if code not in _PCM_CODES or bits != _BITS or channels not in {1, 2}:
            raise BadSound("a WAV header that describes something else than 16-bit samples")
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise BadSound(f"a WAV header whose rate is not {LOWEST_RATE} to {HIGHEST_RATE}")
        if (rate, channels) != self._format:
            self._format = (rate, channels)
            self._samples = SamplesDecoder(rate, channels)


def _mixed(samples: Pcm, channels: int) -> Pcm:
    """The mean of the channels."""
    if channels == 1:
        return samples

    together = samples.reshape(-1, channels).astype(np.int32).sum(axis=1)
    mono: Pcm = (together // channels).astype(np.int16)
    return mono
