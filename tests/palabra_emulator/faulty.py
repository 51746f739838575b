"""Letting things go wrong in a running emulator."""

from __future__ import annotations

from typing import Any

import aiohttp

from .client import eventually

DESK = "/emulator/faults"


async def arm(url: str, **wish: object) -> dict[str, Any]:
    """Let something go wrong; what was armed."""
    async with aiohttp.ClientSession(url) as http, http.post(DESK, json=wish) as answer:
        assert answer.status == 201, await answer.text()
        return await answer.json()  # type: ignore[no-any-return]


async def struck(url: str) -> None:
    """Wait until all that was armed has struck."""

    async def is_over() -> bool:
        async with aiohttp.ClientSession(url) as http, http.get(DESK) as answer:
            return not (await answer.json())["armed"]

    await eventually(is_over, "the stroke")
