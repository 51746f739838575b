"""Sound files of the world: WAV as programs write it, other formats, and what is none of them."""

from __future__ import annotations

import io
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.audio.files import SoundFileError, decode_sound, read_sound
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db

pytestmark = pytest.mark.unit

RATE: Final = 16_000
HZ: Final = 440
TONE: Final = tone(HZ, 1.0, rate=RATE)
LEVEL_DB: Final = tone_level_db(TONE, HZ, rate=RATE)
UNKNOWN: Final = 0xFFFFFFFF

PLAIN, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
GUID_TAIL: Final = bytes.fromhex("000000001000800000aa00389b71")
NOT_SOUND: Final = "is no sound that can be read"


def chunk(name: bytes, content: bytes, size: int | None = None) -> bytes:
    """Make a chunk of a WAV file, padded to an even length."""
    padding = b"\0" * (len(content) % 2)
    return struct.pack("<4sI", name, len(content) if size is None else size) + content + padding


def description(
    code: int, bits: int, *, channels: int = 1, rate: int = RATE, more: bytes = b""
) -> bytes:
    """Make the chunk that describes the samples."""
    block = channels * bits // 8
    facts = struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)
    return chunk(b"fmt ", facts + more)


def extension(code: int, bits: int, mask: int) -> bytes:
    """Make the end of an extensible description."""
    return struct.pack("<HHIH", 22, bits, mask, code) + GUID_TAIL


def wav(fmt: bytes, *chunks: bytes, size: int | None = None) -> bytes:
    """Make a WAV file."""
    body = b"".join((b"WAVE", fmt, *chunks))
    return struct.pack("<4sI", b"RIFF", len(body) if size is None else size) + body


def samples(bits: int, *, channels: int = 1) -> bytes:
    """Make the tone's samples, as many bits as wanted each."""
    wide = np.repeat(TONE.astype(np.int64) << 16 >> (32 - bits), channels)
    if bits == 8:
        return (wide + 128).astype(np.uint8).tobytes()

    return b"".join(int(it).to_bytes(bits // 8, "little", signed=True) for it in wide)


def floats(kind: str) -> bytes:
    """Make the tone's samples as fractions of 1."""
    return (TONE / 32768).astype(kind).tobytes()


SAMPLES: Final = chunk(b"data", samples(16))
FMT: Final = description(PLAIN, 16)

WAVS: Final[dict[str, bytes]] = {
    "16 bit": wav(FMT, SAMPLES),
    "8 bit": wav(description(PLAIN, 8), chunk(b"data", samples(8))),
    "24 bit": wav(description(PLAIN, 24), chunk(b"data", samples(24))),
    "32 bit": wav(description(PLAIN, 32), chunk(b"data", samples(32))),
    "32 bit float": wav(description(FLOAT, 32), chunk(b"data", floats("<f4"))),
    "64 bit float": wav(description(FLOAT, 64), chunk(b"data", floats("<f8"))),
    "extensible": wav(
        description(EXTENSIBLE, 16, more=extension(PLAIN, 16, 0x4)), chunk(b"data", samples(16))
    ),
    "extensible, 24 bit stereo": wav(
        description(EXTENSIBLE, 24, channels=2, more=extension(PLAIN, 24, 0x3)),
        chunk(b"data", samples(24, channels=2)),
    ),
    "extensible, float": wav(
        description(EXTENSIBLE, 32, more=extension(FLOAT, 32, 0)), chunk(b"data", floats("<f4"))
    ),
    "extensible, 5.1": wav(
        description(EXTENSIBLE, 16, channels=6, more=extension(PLAIN, 16, 0x3F)),
        chunk(b"data", samples(16, channels=6)),
    ),
    "three channels": wav(
        description(PLAIN, 16, channels=3), chunk(b"data", samples(16, channels=3))
    ),
    "an odd chunk before": wav(FMT, chunk(b"LIST", b"INFOabc"), SAMPLES),
    "chunks after": wav(FMT, SAMPLES, chunk(b"LIST", b"INFOabcdefg" * 500), chunk(b"junk", b"x")),
    "sizes of 0": wav(FMT, chunk(b"data", samples(16), 0), size=0),
    "unknown sizes": wav(FMT, chunk(b"data", samples(16), UNKNOWN), size=UNKNOWN),
    "sizes of a pipe": wav(FMT, chunk(b"data", samples(16), 0x7FFFFFFF), size=0x7FFFFFFF),
    "cut off in a sample": wav(FMT, SAMPLES)[:-3],
    "cut off in a block of two": wav(
        description(PLAIN, 16, channels=2), chunk(b"data", samples(16, channels=2))
    )[:-3],
}


@pytest.mark.parametrize("kind", WAVS)
def test_a_wav_is_read_whatever_wrote_it(kind: str) -> None:
    """Width, layout and lengths of its header do not matter: the tone is there, one second long."""
    sound = decode_sound(io.BytesIO(WAVS[kind]))

    assert sound.dtype == np.int16
    assert sound.size == pytest.approx(SAMPLE_RATE, abs=10)
    assert tone_level_db(sound, HZ) == pytest.approx(LEVEL_DB, abs=0.3)


def encoded(container: str, codec: str, *, has_picture: bool = False) -> bytes:
    """Write the tone in another format, in a video if wanted."""
    content = io.BytesIO()
    with av.open(content, "w", format=container) as file:
        pictures = file.add_stream("mpeg4", rate=25) if has_picture else None
        stream = file.add_stream(codec, rate=SAMPLE_RATE)
        assert isinstance(stream, AudioStream)
        stream.layout = "mono"
        if pictures is not None:
            pictures.width = pictures.height = 16
            pictures.pix_fmt = "yuv420p"
            file.mux(pictures.encode(av.VideoFrame(16, 16, "yuv420p")))
            file.mux(pictures.encode(None))
        frame = av.AudioFrame.from_ndarray(
            tone(HZ, 1.0).reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        fitting = av.AudioResampler(
            format=stream.format, layout="mono", rate=SAMPLE_RATE, frame_size=stream.frame_size
        )
        for part in (*fitting.resample(frame), *fitting.resample(None)):
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))

    return content.getvalue()


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp3", "mp3"),
        ("flac", "flac"),
        ("ogg", "opus"),
        ("mp4", "aac"),
        ("adts", "aac"),
        ("aiff", "pcm_s16be"),
        ("au", "pcm_mulaw"),
        ("caf", "pcm_s16le"),
        ("w64", "pcm_s16le"),
        ("matroska", "opus"),
        ("mpegts", "mp2"),
    ],
)
def test_other_formats_are_read_as_well(container: str, codec: str) -> None:
    """The tone is there, and no more than a few frames of its codec besides."""
    sound = decode_sound(io.BytesIO(encoded(container, codec)))

    assert sound.size == pytest.approx(SAMPLE_RATE, abs=SAMPLE_RATE // 20)
    assert tone_level_db(sound, HZ) == pytest.approx(LEVEL_DB, abs=1)


def test_a_video_is_its_sound() -> None:
    """Pictures do not disturb."""
    sound = decode_sound(io.BytesIO(encoded("mp4", "aac", has_picture=True)))

    assert tone_level_db(sound, HZ) == pytest.approx(LEVEL_DB, abs=1)


@pytest.mark.parametrize(("container", "codec"), [("mp3", "mp3"), ("flac", "flac")])
def test_what_can_be_heard_of_a_damaged_file_is_heard(container: str, codec: str) -> None:
    """Cut off, and with a hole in the middle."""
    whole = encoded(container, codec)
    third = len(whole) // 3
    cut = decode_sound(io.BytesIO(whole[: 2 * third]))
    holed = decode_sound(io.BytesIO(whole[: 2 * third] + bytes(200) + whole[2 * third + 200 :]))

    assert SAMPLE_RATE // 3 < cut.size < SAMPLE_RATE
    assert SAMPLE_RATE // 3 < holed.size <= SAMPLE_RATE + SAMPLE_RATE // 20


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000])
def test_sound_comes_at_the_rate_that_is_wanted(rate: int) -> None:
    """The tone keeps its pitch and its length."""
    sound = decode_sound(io.BytesIO(WAVS["16 bit"]), rate)

    assert sound.size == pytest.approx(rate, abs=10)
    assert tone_level_db(sound, HZ, rate=rate) == pytest.approx(LEVEL_DB, abs=0.3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", NOT_SOUND),
        (b"RIFF", NOT_SOUND),
        (bytes(60), NOT_SOUND),
        (b"Hello, these are words.\n" * 100, NOT_SOUND),
        (b"<!doctype html><html></html>", NOT_SOUND),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), NOT_SOUND),
        (wav(FMT, SAMPLES)[:30], NOT_SOUND),
        (wav(description(PLAIN, 16, rate=0), SAMPLES), NOT_SOUND),
        (b"RIFX" + wav(FMT, SAMPLES)[4:], "is a big-endian WAV (RIFX), which cannot be read"),
        (wav(FMT, chunk(b"data", b"")), "has no sound in it"),
        (wav(description(0x1234, 16), SAMPLES), "has sound of a kind that cannot be decoded"),
        (
            wav(description(PLAIN, 8, rate=1), chunk(b"data", bytes(11_000))),
            "has more than 3 hours of sound",
        ),
    ],
)
def test_what_is_no_sound_is_said_in_a_sentence(content: bytes, sentence: str) -> None:
    """Nothing else is raised, and nothing is taken for noise."""
    with pytest.raises(SoundFileError) as caught:
        decode_sound(io.BytesIO(content))

    assert str(caught.value).startswith(sentence)


def test_a_list_of_files_opens_none_of_them(tmp_path: Path) -> None:
    """A playlist that names a file of this machine is no sound, as an address would be none."""
    talk = tmp_path / "talk.wav"
    talk.write_bytes(WAVS["16 bit"])
    lists = [f"ffconcat version 1.0\nfile {talk}\n", f"#EXTM3U\n#EXTINF:1,\nfile://{talk}\n"]
    for number, words in enumerate(lists):
        path = tmp_path / f"list{number}"
        path.write_text(words)
        with pytest.raises(SoundFileError, match=NOT_SOUND):
            read_sound(path)


def test_a_file_is_named_in_its_sentence(tmp_path: Path) -> None:
    """Absent, a folder, a pipe, or without sound."""
    pipe, words = tmp_path / "pipe", tmp_path / "words.wav"
    os.mkfifo(pipe)
    words.write_text("words")
    for path, reason in [
        (tmp_path / "absent.wav", "cannot be opened: No such file or directory"),
        (tmp_path, "is a folder"),
        (pipe, "is no regular file"),
        (words, NOT_SOUND),
    ]:
        with pytest.raises(SoundFileError) as caught:
            read_sound(path)

        assert str(caught.value).startswith(f"{path}: {reason}")


def test_a_file_is_read_as_the_agent_s_own_sound(tmp_path: Path) -> None:
    """Mono, 48 kHz."""
    path = tmp_path / "talk.wav"
    path.write_bytes(WAVS["extensible, 5.1"])
    sound: Pcm = read_sound(path)

    assert sound.ndim == 1
    assert sound.size == pytest.approx(SAMPLE_RATE, abs=10)


def miswritten(at: int, byte: int) -> bytes:
    """Make the beginning of a WAV file in which one byte is another."""
    written = bytearray(WAVS["extensible"][:999])
    written[at] = byte
    return bytes(written)


@given(st.binary(max_size=200) | st.builds(miswritten, st.integers(0, 80), st.integers(0, 255)))
def test_any_bytes_are_sound_or_a_sentence(content: bytes) -> None:
    """A header in which a byte is wrong, and what has none."""
    with suppress(SoundFileError):
        assert decode_sound(io.BytesIO(content)).size
