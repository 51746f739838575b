"""Sound in messages: its formats, and their decoders."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.interpreting.playout import SPEECH_RATE
from palabra_emulator.interpreting.utterances import HEARING_RATE
from palabra_emulator.session.task import Task

InputEncoding: TypeAlias = Literal["pcm_s16le", "wav", "opus"]
OutputEncoding: TypeAlias = Literal["pcm_s16le", "zlib_pcm_s16le"]
INPUT_ENCODINGS: Final[tuple[InputEncoding, ...]] = ("pcm_s16le", "wav", "opus")
OUTPUT_ENCODINGS: Final[tuple[OutputEncoding, ...]] = ("pcm_s16le", "zlib_pcm_s16le")
LOWEST_RATE: Final = 16_000
HIGHEST_RATE: Final = 48_000
"""Between these is what a client may send."""

_CHUNK_SAMPLES: Final = SPEECH_RATE // 5
_USUAL_RATE: Final = 24_000
"""The rate of Palabra's own client unless told otherwise."""

_OGG_CAPTURE: Final = b"OggS"
_OGG_HEADER_BYTES: Final = 27
_OGG_CONTINUED: Final = 0x01
_OGG_FIRST: Final = 0x02
_OGG_FULL_SEGMENT: Final = 255
_OGG_LONGEST_PACKET: Final = 256 * 1024

_OPUS_RATE: Final = 48_000
"""The rate to which Opus is decoded, whatever was encoded."""

_OPUS_HEAD: Final = b"OpusHead"
_OPUS_TAGS: Final = b"OpusTags"
_OPUS_HEAD_BYTES: Final = 19
_LOUDEST: Final = 32767

_RIFF: Final = b"RIFF"
_WAV_CHUNK_HEADER: Final = 8
_WAV_FIRST_CHUNK: Final = 12
_WAV_LONGEST_HEADER: Final = 64 * 1024
_WAV_PCM_CODES: Final = frozenset({0x0001, 0xFFFE})
"""Plain samples, and plain samples with an extended description."""

_WAV_BITS: Final = 16


class AudioError(Exception):
    """Sound that cannot be decoded; the words say why."""


@dataclass(frozen=True, slots=True)
class InputFormat:
    """The format of the client's sound."""

    encoding: InputEncoding
    sample_rate: int
    channels: int


def incoming(task: Task) -> InputFormat | None:
    """The format of a task's sound; nothing where it does not come in messages."""
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
    """The encoding of a task's speech; nothing where it does not go out in messages."""
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


class InputResampler:
    """Resamples one stream of mono sound; at the hearing rate it changes nothing."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler = (
            None
            if rate == HEARING_RATE
            else av.AudioResampler(format="s16", layout="mono", rate=HEARING_RATE)
        )

    def take(self, pcm: Pcm) -> Pcm:
        """Take the next sound of the stream; a few milliseconds of it come out with the one after.

        How much comes out depends on how much went in alone, never on the length of the pieces.
        """
        if self._resampler is None or pcm.size == 0:
            return pcm

        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = self._rate
        parts = [it.to_ndarray().reshape(-1) for it in self._resampler.resample(frame)]
        return np.concatenate(parts).astype(np.int16) if parts else np.zeros(0, np.int16)


class OggReader:
    """Takes bytes as they come and returns the packets that are complete."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._packet = bytearray()
        """The beginning of a packet that goes on in the next page."""

    def feed(self, payload: bytes) -> list[bytes]:
        """Take more of the stream; what is no Ogg is skipped.

        Raises:
            BadSound: There is nothing but what must be skipped.
        """
        self._bytes += payload
        packets: list[bytes] = []
        is_skipping = False
        while self._bytes:
            place = self._bytes.find(_OGG_CAPTURE)
            is_skipping |= place != 0 and not _OGG_CAPTURE.startswith(bytes(self._bytes))
            self._skip_to(place)
            page_bytes = self._page_bytes()
            if page_bytes is None:
                break
            self._read_page(bytes(self._bytes[:page_bytes]), packets)
            del self._bytes[:page_bytes]

        if is_skipping and not packets:
            raise AudioError("not an Ogg stream")

        return packets

    def _skip_to(self, place: int) -> None:
        """Drop what comes before a page; without one, all but what may be its beginning."""
        if place < 0:
            kept = next(n for n in (3, 2, 1, 0) if self._bytes.endswith(_OGG_CAPTURE[:n]))
            place = len(self._bytes) - kept

        del self._bytes[:place]

    def _page_bytes(self) -> int | None:
        """The size of the page at the beginning, once it is there as a whole."""
        if len(self._bytes) < _OGG_HEADER_BYTES:
            return None

        segments = self._bytes[_OGG_HEADER_BYTES - 1]
        header_bytes = _OGG_HEADER_BYTES + segments
        size = header_bytes + sum(self._bytes[_OGG_HEADER_BYTES:header_bytes])
        is_whole = len(self._bytes) >= header_bytes and len(self._bytes) >= size
        return size if is_whole else None

    def _read_page(self, page: bytes, packets: list[bytes]) -> None:
        kind, segments = page[5], page[_OGG_HEADER_BYTES - 1]
        if kind & _OGG_FIRST or not kind & _OGG_CONTINUED:
            self._packet.clear()

        place = _OGG_HEADER_BYTES + segments
        for size in page[_OGG_HEADER_BYTES:place]:
            self._packet += page[place : place + size]
            place += size
            if size < _OGG_FULL_SEGMENT:
                packets.append(bytes(self._packet))
                self._packet.clear()

        if len(self._packet) > _OGG_LONGEST_PACKET:
            self._packet.clear()


class OpusDecoder:
    """Decodes one Ogg Opus stream, or several in a row."""

    def __init__(self) -> None:
        self._ogg = OggReader()
        self._codec: AudioCodecContext | None = None
        self._resampler = InputResampler(_OPUS_RATE)
        self._to_skip = 0
        """Samples at the beginning that belong to the encoder, not to the sound."""

    def decode(self, payload: bytes) -> Pcm:
        """Take the next bytes of the stream, and return the sound that is complete.

        Raises:
            BadSound: None of it is Ogg Opus.
        """
        decoded: list[Pcm] = []
        error: AudioError | None = None
        for packet in self._ogg.feed(payload):
            try:
                decoded.append(self._take(packet))
            except AudioError as bad:
                error = bad

        if error is not None and not any(part.size for part in decoded):
            raise error

        sound = np.concatenate(decoded) if decoded else np.zeros(0, np.int16)
        return self._resampler.take(sound)

    def _take(self, packet: bytes) -> Pcm:
        if packet.startswith(_OPUS_HEAD):
            self._begin(packet)
        elif not packet.startswith(_OPUS_TAGS):
            return self._decoded(packet)

        return np.zeros(0, np.int16)

    def _begin(self, head: bytes) -> None:
        if len(head) < _OPUS_HEAD_BYTES or head[9] not in {1, 2}:
            raise AudioError("an Opus header that cannot be used")

        codec = av.CodecContext.create("opus", "r")
        assert isinstance(codec, AudioCodecContext)
        codec.extradata = head
        codec.sample_rate = _OPUS_RATE
        codec.layout = "mono" if head[9] == 1 else "stereo"
        self._codec = codec
        (self._to_skip,) = struct.unpack_from("<H", head, 10)

    def _decoded(self, packet: bytes) -> Pcm:
        if self._codec is None:
            raise AudioError("Opus packets without a header before them")

        try:
            frames = self._codec.decode(av.Packet(packet))
        except (FFmpegError, ValueError):
            raise AudioError("an Opus packet that cannot be decoded") from None

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
        self._resampler = InputResampler(rate)
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
        place = _WAV_FIRST_CHUNK
        while place + _WAV_CHUNK_HEADER <= len(payload):
            name, size = struct.unpack_from("<4sI", payload, place)
            place += _WAV_CHUNK_HEADER
            if name == b"data":
                return payload[place : place + size] if size > 0 else payload[place:]
            if name == b"fmt " and place + size <= len(payload):
                self._follow(payload[place : place + size])
            place += size + size % 2

        if len(payload) > _WAV_LONGEST_HEADER:
            raise AudioError("a WAV header without samples after it")

        self._header = payload
        return None

    def _follow(self, description: bytes) -> None:
        if len(description) < 16:
            raise AudioError("a WAV header that is too short")

        code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", description)
        if code not in _WAV_PCM_CODES or bits != _WAV_BITS or channels not in {1, 2}:
            raise AudioError("a WAV header that describes something else than 16-bit samples")
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise AudioError(f"a WAV header whose rate is not {LOWEST_RATE} to {HIGHEST_RATE}")
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
