"""What plays our frames."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.audio.rtc import AudioOutput, RemoteAudio
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
