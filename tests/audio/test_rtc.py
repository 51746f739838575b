"""What plays our frames."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.audio.rtc import AudioOutput
from tests.fakes import flat

pytestmark = pytest.mark.unit


async def test_draining_takes_as_long_as_what_is_queued() -> None:
    """Whoever waits for the last frame to be played waits that long, and no longer."""
    loop = asyncio.get_running_loop()
    output = AudioOutput("voice")
    try:
        await output.drain()
        for _ in range(2):
            await output.write(flat())
        began = loop.time()
        await output.drain()
        assert 0.02 < loop.time() - began < 0.5
    finally:
        await output.aclose()
