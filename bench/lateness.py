"""How late an event loop is: what a frame of sound waits for its turn, at the least."""

from __future__ import annotations

import asyncio
from typing import Final

_TICK_SECONDS: Final = 0.005


async def note_lateness(late: list[float]) -> None:
    """Note how much later than asked each short sleep ended, in milliseconds, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _TICK_SECONDS
        await asyncio.sleep(_TICK_SECONDS)
        late.append((loop.time() - due) * 1000)
