"""Packing sound for Palabra: each format, read again by somebody else."""

from __future__ import annotations

import io
import zlib

import av
import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.palabra.protocol.commands import LEAST_SOUND_BYTES
from palabra_agent.palabra.task.sections import OPUS_RATES, WebSocketFormat
from palabra_agent.palabra.transports.sound_formats import make_encoder, unpack

pytestmark = pytest.mark.unit

RATES = (16_000, 22_050, 24_000, 44_100, 48_000)


def formats(**chosen: object) -> WebSocketFormat:
    """Choose formats; what is not chosen is as Palabra recommends."""
    return WebSocketFormat.model_validate(chosen)


def packed(sound: Pcm, chosen: WebSocketFormat) -> list[bytes]:
    """Pack a sound chunk by chunk."""
    encoder, step = make_encoder(chosen), chosen.chunk_ms * SAMPLE_RATE // 1000
    return [encoder.encode(sound[at : at + step]) for at in range(0, sound.size, step)]


def opened(stream: bytes) -> tuple[int, list[Pcm]]:
    """Read a WAV or Ogg file: its sample rate and its channels."""
    with av.open(io.BytesIO(stream), "r") as container:
        resampler = av.AudioResampler(format="s16p")
        frames = [it for raw in container.decode(audio=0) for it in resampler.resample(raw)]

    sound = np.concatenate([it.to_ndarray() for it in frames], axis=1)
    return frames[0].sample_rate, [np.asarray(channel, np.int16) for channel in sound]


def assert_is_tone(heard: Pcm, rate: int, seconds: float) -> None:
    """The tone of 600 Hz at -10.5 dB, and about so long."""
    assert heard.size / rate == pytest.approx(seconds, abs=0.06)
    middle = heard[rate // 10 : -rate // 5]
    assert tone_level_db(middle, 600, rate=rate) == pytest.approx(-10.5, abs=0.5)
    assert tone_level_db(middle, 650, rate=rate) < -50


def test_pcm_at_our_own_rate_is_our_own_samples() -> None:
    """Nothing is touched where nothing has to be."""
    sound = np.random.default_rng(1).integers(-32768, 32767, SAMPLE_RATE * 2).astype(np.int16)

    assert b"".join(packed(sound, formats(sample_rate=48_000))) == sound.tobytes()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_pcm_is_resampled_without_a_seam(rate: int, channels: int) -> None:
    """A tone stays a tone, in as many messages of the same length; both channels hear the same."""
    sound = tone(600, 3.2)
    messages = packed(sound, formats(sample_rate=rate, channels=channels))
    samples = np.frombuffer(b"".join(messages), "<i2").reshape(-1, channels)

    assert {len(it) for it in messages} == {rate * 320 // 1000 * 2 * channels}
    assert_is_tone(samples[:, 0], rate, 3.2)
    assert (samples == samples[:, :1]).all()


@pytest.mark.parametrize("channels", [1, 2])
def test_wav_is_one_file(channels: int) -> None:
    """Others read it, though it has no end: one header, before the first chunk."""
    messages = packed(tone(600, 3.2), formats(format="wav", channels=channels))
    rate, heard = opened(b"".join(messages))

    assert [it.startswith(b"RIFF") for it in messages] == [True] + [False] * 9
    assert (rate, len(heard)) == (24_000, channels)
    assert_is_tone(heard[0], rate, 3.2)
    assert np.array_equal(heard[0], heard[-1])


@pytest.mark.parametrize("rate", sorted(OPUS_RATES))
@pytest.mark.parametrize("channels", [1, 2])
def test_opus_is_one_ogg_stream(rate: int, channels: int) -> None:
    """Others read it; it always has Opus's own clock, whatever rate was declared."""
    messages = packed(tone(600, 3.2), formats(format="opus", sample_rate=rate, channels=channels))
    heard_rate, heard = opened(b"".join(messages))

    assert all(it.startswith(b"OggS") for it in messages)
    assert (heard_rate, len(heard)) == (SAMPLE_RATE, channels)
    assert_is_tone(heard[0], SAMPLE_RATE, 3.2)
    assert_is_tone(heard[-1], SAMPLE_RATE, 3.2)


def test_opus_arrives_while_it_is_spoken() -> None:
    """After each chunk all but the last few hundredths of a second can be heard."""
    sound = tone(600, 3.2)
    messages = packed(sound, formats(format="opus"))
    for count in range(1, 11):
        _, heard = opened(b"".join(messages[:count]))
        assert count * 0.32 - heard[0].size / SAMPLE_RATE < 0.06


@pytest.mark.parametrize("chunk_ms", [40, 100, 320, 2000])
@pytest.mark.parametrize("name", ["pcm_s16le", "wav", "opus"])
def test_no_message_is_too_small_or_too_large(name: str, chunk_ms: int) -> None:
    """Not even of silence: what is too little goes with the next one."""
    for rate, channels in ((16_000, 1), (48_000, 2)):
        chosen = formats(format=name, chunk_ms=chunk_ms, sample_rate=rate, channels=channels)
        messages = packed(np.zeros(SAMPLE_RATE * 4, np.int16), chosen)
        sizes = [len(it) for it in messages if it]

        assert min(sizes) >= LEAST_SOUND_BYTES
        assert max(sizes) * 4 / 3 <= 512 * 1024
        assert len(sizes) >= len(messages) - 1


def test_speech_is_unpacked_as_the_task_says() -> None:
    """Compressed chunks are unpacked one by one; a corrupt or an endless one is told apart."""
    zipped = formats(output_format="zlib_pcm_s16le")

    assert unpack(zipped, zlib.compress(b"speech")) == b"speech"
    assert unpack(zipped, b"") == b""
    assert unpack(zipped, b"speech") is None
    assert unpack(zipped, zlib.compress(b"speech" * 100)[:-5]) is None
    assert unpack(zipped, zlib.compress(bytes(20_000_000))) is None
    assert unpack(formats(), b"speech") == b"speech"
