"""Programs of a benchmark: they answer by lines, and stay behind in no case."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from bench.programs import ask, run_program

pytestmark = pytest.mark.unit

_PROGRAM = "import os, time; input(); print(os.getpid(), flush=True); time.sleep(600)"
_BENCH = f"""
import asyncio, sys
from bench.programs import ask, run_program

async def main():
    async with run_program(sys.executable, "-c", {_PROGRAM!r}) as program:
        print((await ask(program, "which?", 60)).decode(), end="", flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_program_answers_until_the_block_is_left() -> None:
    """It reads a line and writes one; it is gone afterwards."""
    async with run_program(sys.executable, "-c", _PROGRAM) as program:
        answer = int(await ask(program, "which?", 60))

        assert psutil.pid_exists(answer)

    assert not psutil.pid_exists(answer)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties one life to another")
def test_a_program_dies_with_a_bench_that_is_killed() -> None:
    """Else it would go on using a processor that others measure on."""
    with subprocess.Popen(
        [sys.executable, "-c", _BENCH], stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdout is not None
        program = psutil.Process(int(bench.stdout.readline()))
        bench.kill()

    psutil.wait_procs([program], timeout=60)
    assert not program.is_running()
