"""Sound in messages: every format decoded, whatever the pieces in which it comes."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pytest

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_emulator.transports.audio_formats import (
    AudioError,
    Decoder,
    InputEncoding,
    InputFormat,
    WavDecoder,
    decoder_of,
)
from tests.palabra_emulator.sounds import ogg_opus, pieces, stereo, wav

pytestmark = pytest.mark.unit


def decoder(encoding: InputEncoding, rate: int = 16_000, channels: int = 1) -> Decoder:
    """A decoder for a new stream."""
    return decoder_of(InputFormat(encoding, rate, channels))


def decoded(stream: Decoder, payload: bytes, size: int = 10_240) -> Pcm:
    """What a stream holds that comes in pieces."""
    return np.concatenate([stream.decode(piece) for piece in pieces(payload, size)])


def noise(samples: int) -> Pcm:
    """Sound of which no two pieces are alike."""
    return np.random.default_rng(1).integers(-9000, 9000, samples).astype(np.int16)


@pytest.mark.parametrize("size", [1, 333, 10_240])
def test_samples_at_the_hearing_rate_are_heard_exactly(size: int) -> None:
    """Not one sample is changed or lost, even where a message ends in the middle of one."""
    sound = noise(5_000)

    assert np.array_equal(decoded(decoder("pcm_s16le"), sound.tobytes(), size), sound)


@pytest.mark.parametrize("size", [3, 10_240])
def test_stereo_is_mixed(size: int) -> None:
    """Two channels become their mean."""
    left, right = noise(4_000), tone(300, 0.25, rate=16_000)
    heard = decoded(decoder("pcm_s16le", channels=2), stereo(left, right).tobytes(), size)

    assert np.array_equal(heard, (left.astype(np.int32) + right) // 2)


@pytest.mark.parametrize("rate", [22_050, 24_000, 44_100, 48_000])
def test_other_rates_are_resampled_without_drift(rate: int) -> None:
    """A minute in odd pieces is a minute, and a tone stays that tone."""
    heard = decoded(decoder("pcm_s16le", rate), tone(440, 60, rate=rate).tobytes(), 3_333)

    assert abs(heard.size - 60 * 16_000) <= 32
    spectrum = np.abs(np.fft.rfft(heard[:160_000].astype(np.float64)))
    assert np.argmax(spectrum) == 4_400


def test_pieces_make_no_difference_to_resampling() -> None:
    """The same sound gives the same samples, however it is cut."""
    sound = noise(24_000).tobytes()
    whole = decoded(decoder("pcm_s16le", 24_000), sound, 48_000)
    small = decoded(decoder("pcm_s16le", 24_000), sound, 777)

    assert np.array_equal(whole[: small.size], small[: whole.size])
    assert abs(whole.size - small.size) <= 32


@pytest.mark.parametrize("size", [7, 44, 10_240])
def test_wav_header_may_come_once(size: int) -> None:
    """A file cut anywhere is heard exactly, its header nowhere."""
    sound = noise(5_000)

    assert np.array_equal(decoded(decoder("wav"), wav(sound, 16_000), size), sound)


def test_wav_header_may_come_with_every_message() -> None:
    """Each message a file of its own: only the samples are heard."""
    sound = noise(5_000)
    stream = decoder("wav")
    heard = [stream.decode(wav(part, 16_000)) for part in np.split(sound, 10)]

    assert np.array_equal(np.concatenate(heard), sound)


def test_wav_header_counts_before_the_task() -> None:
    """Rate and channels are those of the header; without one, those of the task."""
    sound = tone(300, 1.0, rate=48_000)
    heard = decoded(decoder("wav"), wav(stereo(sound, sound), 48_000, channels=2))
    headless = decoded(decoder("wav", 48_000), sound.tobytes())

    assert abs(heard.size - 16_000) <= 32
    assert np.array_equal(heard, headless)


def test_wav_header_of_a_live_stream_has_no_length() -> None:
    """A length of nothing, or of the most there can be, means until the end."""
    sound = noise(1_000)
    for length in (b"\x00\x00\x00\x00", b"\xff\xff\xff\xff"):
        file = bytearray(wav(sound, 16_000))
        file[40:44] = length
        assert np.array_equal(decoded(decoder("wav"), bytes(file), 500), sound)


@pytest.mark.parametrize(
    "broken",
    [
        wav(noise(100), 16_000).replace(b"\x01\x00\x01\x00", b"\x03\x00\x01\x00", 1),
        wav(noise(100), 16_000).replace(b"\x10\x00data", b"\x08\x00data", 1),
        b"RIFF\xff\xff\xff\xffWAVEjunk\xff\xff\xff\x7f" + bytes(70_000),
    ],
)
def test_wav_of_another_kind_is_refused(broken: bytes) -> None:
    """Anything but 16-bit samples is an error that says so."""
    with pytest.raises(AudioError, match="a WAV header"):
        decoder("wav").decode(broken)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("size", [100, 4_000, 1_000_000])
def test_opus_is_decoded_as_it_comes(size: int, channels: int) -> None:
    """An Ogg stream cut anywhere, mono or stereo, is heard at its own pitch and length."""
    sound = tone(440, 3.0, rate=48_000)
    file = ogg_opus(stereo(sound, sound) if channels == 2 else sound, 48_000, channels)
    heard = decoded(decoder("opus", 48_000, channels), file, size)

    assert heard.size == pytest.approx(48_000, abs=400)
    spectrum = np.abs(np.fft.rfft(heard[8_000:40_000].astype(np.float64)))
    assert np.argmax(spectrum) == 880
    assert np.abs(heard[8_000:40_000]).max() == pytest.approx(np.abs(sound).max(), rel=0.1)


def test_opus_streams_may_follow_each_other() -> None:
    """Each message a file of its own, as some recorders send it."""
    file = ogg_opus(tone(440, 0.4, rate=48_000), 48_000)
    stream = decoder("opus")
    heard = np.concatenate([stream.decode(file) for _ in range(5)])

    assert heard.size == pytest.approx(5 * 0.4 * 16_000, abs=800)
    assert tone_level_db(heard, 440, rate=16_000) > -20


def test_opus_is_found_again_after_garbage() -> None:
    """What is no Ogg is refused, and the stream goes on behind it."""
    file = ogg_opus(tone(440, 3.0, rate=48_000), 48_000)
    stream = decoder("opus")
    before = stream.decode(file[:20_000])
    with contextlib.suppress(AudioError):  # it fills the page that was cut
        stream.decode(bytes(range(256)) * 300)
    with pytest.raises(AudioError, match="not an Ogg stream"):
        stream.decode(bytes(range(256)) * 300)
    after = stream.decode(file)

    assert before.size > 0
    assert after.size > 12_000


@pytest.mark.parametrize(
    "payload",
    [
        b"no Ogg at all",
        bytes(10_000),
        ogg_opus(tone(440, 0.4, rate=48_000), 48_000).replace(b"OpusHead", b"OpusDead"),
        ogg_opus(tone(440, 0.4, rate=48_000), 48_000).replace(b"Head\x01\x01", b"Head\x01\x09"),
    ],
)
def test_what_is_not_opus_is_refused(payload: bytes) -> None:
    """Bad bytes are an error of the decoder's own, and nothing else."""
    with pytest.raises(AudioError):
        decoder("opus").decode(payload)


@pytest.mark.parametrize("encoding", ["pcm_s16le", "wav", "opus"])
def test_no_bytes_break_a_decoder(encoding: InputEncoding) -> None:
    """Random and mutated streams yield sound or an error of the decoder's own."""
    random = np.random.default_rng(7)
    good = ogg_opus(tone(440, 0.5, rate=48_000), 48_000) + wav(noise(2_000), 16_000)
    for _ in range(60):
        stream = decoder(encoding)
        mutated = bytearray(good)
        for place in random.integers(0, len(good), 40):
            mutated[place] = int(random.integers(0, 256))
        for piece in pieces(bytes(mutated), int(random.integers(50, 3_000))):
            try:
                assert stream.decode(piece).dtype == np.int16
            except AudioError:
                continue


def wav_at(rate: int) -> bytes:
    """A whole WAV header that claims this rate, and some samples."""
    description = struct.pack("<HHIIHH", 1, 1, rate, (rate * 2) % 2**32, 2, 16)
    return (
        b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", 16) + description + b"data\0\0\0\0" + bytes(64)
    )


@pytest.mark.parametrize("rate", [0, 1, 15_999, 48_001, 2**32 - 1])
def test_wav_header_cannot_choose_any_rate(rate: int) -> None:
    """A rate outside what a task may declare is bad sound, not minutes of it."""
    with pytest.raises(AudioError):
        WavDecoder(24_000, 1).decode(wav_at(rate))
