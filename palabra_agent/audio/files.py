"""Reads sound files with FFmpeg: WAV of any kind, MP3, FLAC, Ogg, M4A, the sound of a video.

What is wrong with a file is no reason to refuse what can be heard of it: lengths in headers are not
believed, a part that cannot be decoded is left out, and a file that was cut off ends there.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.errors import PalabraAgentError
from palabra_agent.texts import one_line

LONGEST_SECONDS: Final = 3 * 3600
"""Of a file's sound; so much of it takes a gigabyte."""

_FORMATS: Final = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,matroska,mov,mp3,mp4,mpeg,mpegts,ogg,rf64,"
    "tta,w64,wav,webm,wv"
)
"""Formats that hold sound, and none that names other files or addresses to be opened."""

_BIG_ENDIAN_WAV: Final = b"RIFX"

_Shape: TypeAlias = tuple[str, str, int]


class SoundFileError(PalabraAgentError):
    """A file whose sound cannot be read; the words say why."""


def read_sound(path: Path) -> Pcm:
    """Read the sound of a file as 48 kHz mono.

    Raises:
        SoundFileError: There is none that can be read, or too much; names the file.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SoundFileError("is a folder" if path.is_dir() else "is no regular file")

        with path.open("rb") as file:
            return decode_sound(file)
    except OSError as error:
        reason = f"cannot be opened: {error.strerror or type(error).__name__}"
    except SoundFileError as error:
        reason = str(error)

    raise SoundFileError(f"{one_line(str(path))}: {reason}")


def decode_sound(file: BinaryIO, rate: int = SAMPLE_RATE) -> Pcm:
    """Read the sound of an open file as mono, at any rate.

    Raises:
        SoundFileError: There is none that can be read, or too much.
    """
    if file.read(len(_BIG_ENDIAN_WAV)) == _BIG_ENDIAN_WAV:
        # FFmpeg takes its samples for little-endian ones, and makes noise of them
        raise SoundFileError("is a big-endian WAV (RIFX), which cannot be read")

    file.seek(0)
    most = LONGEST_SECONDS * rate
    pieces: list[Pcm] = []
    length = 0
    try:
        options = {"format_whitelist": _FORMATS}
        with av.open(file, "r", metadata_errors="ignore", options=options) as it:
            if (it.duration or 0) > LONGEST_SECONDS * av.time_base:
                raise _too_long()

            for piece in _pieces(it, rate):
                pieces.append(piece)
                length += piece.size
                if length > most:
                    raise _too_long()
    except (FFmpegError, ValueError, OverflowError, MemoryError):
        # what was heard before it counts
        if not length:
            raise SoundFileError(
                "is no sound that can be read: a file may be WAV, MP3, FLAC, Ogg, M4A, or a video"
            ) from None

    if not length:
        raise SoundFileError("has no sound in it")

    return np.concatenate(pieces)


def _too_long() -> SoundFileError:
    return SoundFileError(f"has more than {LONGEST_SECONDS // 3600} hours of sound")


def _pieces(container: InputContainer, rate: int) -> Iterator[Pcm]:
    """Resample what is decoded; its format may change on the way, as in an Ogg file of several."""
    shape: _Shape | None = None
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    for frame in _decoded(container):
        if shape not in {None, shape := _shape_of(frame)}:
            yield from _arrays(resampler.resample(None))
            resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)

        # times would make silence of what is missing
        frame.pts = None
        yield from _arrays(resampler.resample(frame))

    if shape is not None:
        yield from _arrays(resampler.resample(None))


def _decoded(container: InputContainer) -> Iterator[av.AudioFrame]:
    stream = next(iter(container.streams.audio), None)
    if stream is None:
        return

    has_data = is_decoded = False
    for packet in container.demux(stream):
        has_data = has_data or packet.size > 0
        try:
            frames = packet.decode()
        except FFmpegError:
            continue

        is_decoded = is_decoded or bool(frames)
        yield from frames

    if has_data and not is_decoded:
        raise SoundFileError("has sound of a kind that cannot be decoded")


def _shape_of(frame: av.AudioFrame) -> _Shape:
    return frame.format.name, frame.layout.name, frame.sample_rate


def _arrays(frames: list[av.AudioFrame]) -> Iterator[Pcm]:
    for frame in frames:
        yield frame.to_ndarray().reshape(-1).astype(np.int16)
