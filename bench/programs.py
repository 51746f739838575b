"""Parts of a benchmark that need a process of their own: programs that are asked by lines."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from palabra_agent.local.processes import tied_to_us

_LONGEST_LINE: Final = 2**24
"""Bytes of an answer."""


@asynccontextmanager
async def run_program(*argv: str, env: Mapping[str, str] | None = None) -> AsyncGenerator[Process]:
    """Have a program run for the length of a block.

    Args:
        *argv: Its command line.
        env: Variables that it has besides ours.
    """
    process = await asyncio.create_subprocess_exec(
        *tied_to_us(argv),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={**os.environ, **(env or {})},
        limit=_LONGEST_LINE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ask(process: Process, question: str, seconds: float) -> bytes:
    """Ask a program something; waits for the line that answers, empty where it has ended.

    Raises:
        TimeoutError: There was none within so many seconds.
    """
    tell(process, question)
    assert process.stdout is not None
    async with asyncio.timeout(seconds):
        return await process.stdout.readline()


def tell(process: Process, line: str) -> None:
    """Tell a program something that it does not answer."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
