"""How plugins go: the last first, within half a second, and in the end whether they will or not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from palabra_agent.concurrency import finish
from palabra_agent.plugins_host.asking import CALL_SECONDS
from palabra_agent.plugins_host.fences import HEED_SECONDS
from palabra_agent.plugins_host.guest import CLOSE_SECONDS, Guest

_HEARING_SHARE: Final = 0.5
"""Of the time to close: for telling listeners what they have not heard yet."""
_MARGIN_SECONDS: Final = 0.1


async def see_off(guests: Sequence[Guest]) -> None:
    """Close plugins, however often this is cancelled meanwhile."""
    seconds = CLOSE_SECONDS + HEED_SECONDS + _MARGIN_SECONDS
    await finish(_close(guests), seconds=seconds)


async def dismiss(guests: Sequence[Guest]) -> None:
    """Close plugins when they have answered what they are being asked."""
    now = asyncio.get_running_loop().time
    deadline = now() + CALL_SECONDS
    try:
        for guest in guests:
            await guest.finish_answers(deadline - now())
    finally:
        await see_off(guests)


async def _close(guests: Sequence[Guest]) -> None:
    now = asyncio.get_running_loop().time
    deadline = now() + CLOSE_SECONDS
    hear_until = now() + CLOSE_SECONDS * _HEARING_SHARE
    try:
        for left in range(len(guests), 0, -1):
            guest = guests[left - 1]
            guest.close(hear_until)
            # one that hangs takes its share of the time, and the next one begins
            await guest.wait_closed((deadline - now()) / left)

        for guest in guests:
            await guest.wait_closed(deadline - now())

        async with asyncio.TaskGroup() as group:
            for guest in guests:
                group.create_task(guest.stop(HEED_SECONDS), name="stop plugin")
    finally:
        for guest in guests:
            guest.let_go()
