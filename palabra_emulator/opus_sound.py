"""Ogg Opus decoded as it comes, one message after the other."""

from __future__ import annotations

import struct
from typing import Final

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.ogg import OggReader
from palabra_emulator.resampling import Resampler
from palabra_emulator.sound_errors import BadSound

_RATE: Final = 48_000
"""What Opus is decoded to, whatever was encoded."""

_HEAD: Final = b"OpusHead"
_TAGS: Final = b"OpusTags"
_HEAD_BYTES: Final = 19
_LOUDEST: Final = 32767


class OpusDecoder:
    """Decodes one Ogg Opus stream, or several in a row."""

    def __init__(self) -> None:
        self._ogg = OggReader()
        self._codec: AudioCodecContext | None = None
        self._resampler = Resampler(_RATE)
        self._to_skip = 0
        """Samples at the beginning that belong to the encoder, not to the sound."""

    def decode(self, payload: bytes) -> Pcm:
        """Take the next bytes of the stream, and return the sound that is complete.

        Raises:
            BadSound: None of it is Ogg Opus.
        """
        decoded: list[Pcm] = []
        flaw: BadSound | None = None
        for packet in self._ogg.feed(payload):
            try:
                decoded.append(self._take(packet))
            except BadSound as bad:
                flaw = bad

        if flaw is not None and not any(part.size for part in decoded):
            raise flaw

        sound = np.concatenate(decoded) if decoded else np.zeros(0, np.int16)
        return self._resampler.take(sound)

    def _take(self, packet: bytes) -> Pcm:
        if packet.startswith(_HEAD):
            self._begin(packet)
        elif not packet.startswith(_TAGS):
            return self._decoded(packet)

        return np.zeros(0, np.int16)

    def _begin(self, head: bytes) -> None:
        if len(head) < _HEAD_BYTES or head[9] not in {1, 2}:
            raise BadSound("an Opus header that cannot be used")

        codec = av.CodecContext.create("opus", "r")
        assert isinstance(codec, AudioCodecContext)
        codec.extradata = head
        codec.sample_rate = _RATE
        codec.layout = "mono" if head[9] == 1 else "stereo"
        self._codec = codec
        (self._to_skip,) = struct.unpack_from("<H", head, 10)

    def _decoded(self, packet: bytes) -> Pcm:
        if self._codec is None:
            raise BadSound("Opus packets without a header before them")

        try:
            frames = self._codec.decode(av.Packet(packet))
        except (FFmpegError, ValueError):
            raise BadSound("an Opus packet that cannot be decoded") from None

        parts = [_mono(frame) for frame in frames]
        sound = np.concatenate(parts) if parts else np.zeros(0, np.int16)
        skipped = min(self._to_skip, sound.size)
        self._to_skip -= skipped
        return sound[skipped:]


def _mono(frame: av.AudioFrame) -> Pcm:
    samples = frame.to_ndarray().astype(np.float32)
    if not frame.format.is_planar:
        samples = samples.reshape(-1, len(frame.layout.channels)).T

    scale = _LOUDEST if frame.format.name.startswith("flt") else 1
    mixed = samples.mean(axis=0) * scale
    mono: Pcm = np.clip(np.rint(mixed), -_LOUDEST - 1, _LOUDEST).astype(np.int16)
    return mono
