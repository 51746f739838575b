"""Parts of a benchmark that need a process of their own: programs that are asked by lines."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

_LONGEST_LINE: Final = 2**24
"""Bytes of an answer."""


@asynccontextmanager
async def run_program(module: str, *words: str, env: Mapping[str, str]) -> AsyncGenerator[Process]:
    """Have a module run as a program for the length of a block.

    Args:
        module: Its name.
        *words: What it is told at its start.
        env: Variables that it has besides ours.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={**os.environ, **env},
        limit=_LONGEST_LINE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ask(process: Process, question: str, seconds: float) -> bytes:
    """Ask a program something; waits for the line that answers.

    Raises:
        TimeoutError: There was none within so many seconds.
    """
    tell(process, question)
    return await answer(process, seconds)


def tell(process: Process, line: str) -> None:
    """Tell a program something that it does not answer."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())


async def answer(process: Process, seconds: float) -> bytes:
    """Wait for the next line of a program.

    Raises:
        TimeoutError: There was none within so many seconds.
    """
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        return await process.stdout.readline()


def _variable(name: str) -> str:
    return field(default_factory=lambda: os.environ[name])


@dataclass(frozen=True, slots=True)
class EnvironmentServer:
    """The LiveKit server that the environment of a program leads to."""

    url: str = _variable("LIVEKIT_URL")
    api_key: str = _variable("LIVEKIT_API_KEY")
    api_secret: str = _variable("LIVEKIT_API_SECRET")
