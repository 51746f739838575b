"""What plays our frames."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.audio.rtc import AudioOutput
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
        began = loop.time()
        await output.drain()
        assert loop.time() - began > 0.02
    finally:
        await output.aclose()
