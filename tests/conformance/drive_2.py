"""palabra-ai 2, told what to do: each line on stdin is a call, each on stdout what came.

Run with the SDK's own Python, as a program. Nothing of this project is imported here.

A call is `{"id": 1, "call": "pause", "arguments": {}}`: a method of the SDK's session, or `open`,
which makes one. Its outcome comes as `{"id": 1, "error": null}`. The SDK's events come as
`{"kind": "TaskStatus", …}` with their fields, the end of its iteration as `{"ended": null}`.
Bytes travel as base64, in both directions.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import importlib
import json
import sys
from typing import Any, Final

# only the environment that runs this file has it
SDK: Final[Any] = importlib.import_module("palabra_ai")
_SOUND_ARGUMENTS: Final = frozenset({"pcm", "chunk"})


class Steered:
    """One session of the SDK."""

    def __init__(self, endpoint: str, api_key: str) -> None:
        SDK.client.REGIONS["eu"] = SDK.Region(translation=endpoint)
        self._palabra = SDK.Palabra(api_key, region="eu")
        self._session: Any = None

    async def run(self) -> None:
        """Do as stdin says until it ends, then hang up."""
        async with asyncio.TaskGroup() as group:
            while line := await asyncio.to_thread(sys.stdin.readline):
                group.create_task(self._answer(group, json.loads(line)))

            if self._session is not None:
                await self._session.close()

    async def _answer(self, group: asyncio.TaskGroup, call: dict[str, Any]) -> None:
        error = None
        try:
            await self._do(group, call["call"], call["arguments"])
        except (SDK.PalabraError, SDK.client.websockets.ConnectionClosed) as problem:
            error = described(problem)

        say({"id": call["id"], "error": error})

    async def _do(self, group: asyncio.TaskGroup, name: str, arguments: dict[str, Any]) -> None:
        for sound in _SOUND_ARGUMENTS & arguments.keys():
            arguments[sound] = base64.b64decode(arguments[sound])

        if name != "open":
            await getattr(self._session, name)(**arguments)
            return

        self._session = self._palabra.translation(**arguments)
        await self._session.__aenter__()
        group.create_task(self._tell())

    async def _tell(self) -> None:
        error = None
        try:
            async for event in self._session:
                say({"kind": type(event).__name__, **dataclasses.asdict(event)})
        except SDK.PalabraError as problem:
            error = described(problem)

        say({"ended": error})


def described(problem: Exception) -> dict[str, str]:
    """An exception of the SDK's in words."""
    return {"kind": type(problem).__name__, "words": str(problem)}


def say(fact: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(fact, default=_as_base64) + "\n")
    sys.stdout.flush()


def _as_base64(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    asyncio.run(Steered(*sys.argv[1:]).run())
