"""palabra-ai 2 in a process of its own: it is called, its events are kept, its emulator is watched.

This module alone knows the lines that `drive_2.py` reads and writes.
"""

from __future__ import annotations

import asyncio
import base64
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

from palabra_agent.audio.pcm import Pcm
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.server import run_emulator
from tests.clock import HANG_SECONDS, eventually
from tests.palabra_emulator.watching import commands_of, newest_session

Event = dict[str, Any]
"""One of the SDK's events: its class as `kind`, and its fields."""

OUTPUT_RATE: Final = 24_000
"""Of everything that Palabra says over WebSocket."""

_DRIVER: Final = Path(__file__).with_name("drive_2.py")
_LONGEST_LINE: Final = 4 * 2**20


class SdkError(Exception):
    """The SDK raised one of its exceptions."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(f"{kind}: {words}")
        self.kind = kind
        self.words = words


class SdkProcess:
    """The SDK, ready for calls."""

    def __init__(self, process: Process) -> None:
        self.events: list[Event] = []
        """What its iteration has yielded so far."""
        self._end: list[SdkError | None] = []
        """Empty until its iteration is over."""
        self._process = process
        self._numbers = count()
        self._outcomes: dict[int, asyncio.Future[None]] = {}

    async def call(self, name: str, **arguments: object) -> None:
        """Call a method of the SDK's session, or `open`, and wait until it returns.

        Raises:
            SdkError: It raised.
        """
        number = next(self._numbers)
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._outcomes[number] = outcome
        line = json.dumps({"id": number, "call": name, "arguments": arguments})
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        async with asyncio.timeout(HANG_SECONDS):
            await self._process.stdin.drain()
            await outcome

    async def send(self, pcm: Pcm, *, end: bool = False) -> None:
        """Send samples in real time, as the SDK does with a file."""
        await self.call("send_pcm", pcm=base64.b64encode(pcm.tobytes()).decode(), end=end)

    async def send_chunk(self, chunk: bytes) -> None:
        """Send the bytes of one message."""
        await self.call("send_audio", chunk=base64.b64encode(chunk).decode())

    async def until(self, holds: Callable[[], object], what: str, seconds: float = 15.0) -> None:
        """Wait until something is true of what came."""
        try:
            await eventually(holds, what, seconds)
        except AssertionError as error:
            error.add_note(f"there came {[it | {'pcm': '…'} for it in self.events]}")
            raise

    async def event(self, kind: str, seconds: float = 15.0, **fields: object) -> Event:
        """Wait for an event of a class with these values; the first one is returned."""
        await self.until(lambda: self.of(kind, **fields), f"{kind} {fields}", seconds)
        return self.of(kind, **fields)[0]

    async def ended(self, seconds: float = 15.0) -> None:
        """Wait until the SDK's iteration is over.

        Raises:
            SdkError: It ended with one of its exceptions.
        """
        await self.until(lambda: self._end, "the end of the iteration", seconds)
        if (error := self._end[0]) is not None:
            raise error

    def of(self, kind: str, **fields: object) -> list[Event]:
        """The events of a class with these values, oldest first."""
        return [
            it
            for it in self.events
            if it["kind"] == kind and all(it[key] == value for key, value in fields.items())
        ]

    def speech(self, language: str, **fields: object) -> Pcm:
        """All that was said in a language."""
        chunks = [
            base64.b64decode(it["pcm"]) for it in self.of("Audio", language=language, **fields)
        ]
        return np.frombuffer(b"".join(chunks), dtype="<i2").astype(np.int16)

    async def listen(self) -> None:
        """Read what the process writes until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self._take(json.loads(line))

        for outcome in self._outcomes.values():
            self._settle(outcome, SdkError("EOFError", "the SDK's process has ended"))

    def _take(self, fact: dict[str, Any]) -> None:
        if "kind" in fact:
            self.events.append(fact)
        elif "ended" in fact:
            self._end.append(_raised(fact["ended"]))
        else:
            self._settle(self._outcomes.pop(fact["id"]), _raised(fact["error"]))

    def _settle(self, outcome: asyncio.Future[None], error: SdkError | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(None)
        else:
            outcome.set_exception(error)


def _raised(error: dict[str, str] | None) -> SdkError | None:
    return None if error is None else SdkError(error["kind"], error["words"])


@asynccontextmanager
async def run_sdk(python: Path, url: str, log: Path, api_key: str) -> AsyncGenerator[SdkProcess]:
    """Have the SDK in a process of its own while the block runs.

    Args:
        python: The interpreter that has it.
        url: Of the emulator.
        log: The file for errors of the process.
        api_key: What it authenticates itself with.
    """
    address = (
        url.replace("http", "ws", 1) + "/streaming-api/{random_hash}/v1/speech-to-speech/stream"
    )
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(str(python), str(_DRIVER), address, api_key),
            stdin=PIPE,
            stdout=PIPE,
            stderr=errors,
            limit=_LONGEST_LINE,
        )
        try:
            async with asyncio.TaskGroup() as group:
                sdk = SdkProcess(process)
                listening = group.create_task(sdk.listen())
                yield sdk
                assert process.stdin is not None
                process.stdin.close()
                async with asyncio.timeout(HANG_SECONDS):
                    await listening
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    _expect_no_errors(log)


def _expect_no_errors(log: Path) -> None:
    said = log.read_text(encoding="utf-8")
    assert said == "", said


@dataclass(frozen=True, slots=True)
class SdkConversation:
    """The SDK, and the emulator that it talks to."""

    url: str
    """Of the emulator."""
    sdk: SdkProcess

    async def commands(self) -> list[tuple[str, str]]:
        """What the session was told, with the outcomes."""
        return await commands_of(self.url, (await newest_session(self.url)).id)


@dataclass(frozen=True, slots=True)
class CurrentSdk:
    """palabra-ai 2 in its own environment."""

    python: Path
    folder: Path
    options: EmulatorOptions

    @asynccontextmanager
    async def talk(self, api_key: str = "local") -> AsyncGenerator[SdkConversation]:
        """Have it talk to an emulator of its own while the block runs."""
        log = self.folder / "sdk.log"
        async with (
            run_emulator(self.options) as palabra,
            run_sdk(self.python, palabra.url, log, api_key) as sdk,
        ):
            yield SdkConversation(palabra.url, sdk)
