"""What plays our frames."""

from __future__ import annotations

import asyncio

import av
import pytest

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE
from palabra_agent.audio.rtc import AudioOutput, RemoteAudio, microphone_options
from palabra_agent.local.speech import synthetic_speech
from tests.fakes import flat

pytestmark = pytest.mark.unit


async def test_draining_takes_as_long_as_what_is_queued() -> None:
    """What is queued has been played when the wait for it is over."""
    loop = asyncio.get_running_loop()
    output = AudioOutput("voice")
    try:
        await output.drain()
        for _ in range(2):
            await output.write(flat())
        assert 0 < output.waiting_ms <= 40
        began = loop.time()
        await output.drain()
        assert loop.time() - began > 0.02
        assert output.waiting_ms == 0
    finally:
        await output.aclose()


async def test_the_frames_of_a_track_that_has_ended_end() -> None:
    """For who listens already and for who begins: of a track that is gone silence may come on."""
    output = AudioOutput("voice")
    remote = RemoteAudio(output.track)
    try:
        async with remote.open_frames() as frames:
            await output.write(flat())
            await anext(frames)
            remote.end()
            async with asyncio.timeout(10):
                assert all([frame.peak async for frame in frames])
        async with remote.open_frames() as frames, asyncio.timeout(10):
            assert [frame async for frame in frames] == []
    finally:
        await output.aclose()


@pytest.mark.parametrize(("share", "models"), [(1.0, False), (0.5, True)])
def test_speech_is_encoded_without_a_model_of_the_voice(share: float, *, models: bool) -> None:
    """Opus makes one below a bitrate that it knows; half of ours is below it."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", "s16"
    encoder.bit_rate = round(share * microphone_options().audio_encoding.max_bitrate)
    # as WebRTC does
    encoder.options = {"application": "voip", "compression_level": "9", "vbr": "constrained"}
    speech = synthetic_speech("What is said here is heard a moment later.", pitch_hz=120)
    packets: list[bytes] = []
    for start in range(0, speech.size - FRAME_SAMPLES, FRAME_SAMPLES):
        samples = speech[None, start : start + FRAME_SAMPLES]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        packets += map(bytes, encoder.encode(frame))

    # the configurations of a packet from 16 on are of CELT alone (RFC 6716, section 3.1)
    assert {packet[0] >> 3 < 16 for packet in packets[len(packets) // 2 :]} == {models}
