"""Child processes: started, watched, and gone afterwards with all of their own children."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from palabra_agent.errors import SetupError
from palabra_agent.local.processes import (
    accepts_connections,
    free_port,
    is_port_free,
    run_child,
    stand_still,
)
from tests.clock import eventually

pytestmark = pytest.mark.unit

_FAMILY = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("born", child.pid, flush=True)
time.sleep(600)
"""
_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(600)
"""


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _gone(pid: int, seconds: float = 5.0) -> bool:
    until = time.monotonic() + seconds
    while _is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not _is_alive(pid)


async def test_leaving_the_block_ends_the_whole_family(tmp_path: Path) -> None:
    """Neither the child nor its own child outlives the block."""
    log = tmp_path / "log"
    async with run_child("a family", [sys.executable, "-c", _FAMILY], log_path=log) as child:
        await child.wait_for_line("born", seconds=10)
        grandchild = int(log.read_text().split()[1])
        assert _is_alive(grandchild)

    assert child.has_ended
    assert _gone(grandchild)


async def test_a_process_that_stood_still_goes_on(tmp_path: Path) -> None:
    """Also where its time is cut short."""
    log = tmp_path / "log"
    async with run_child("a family", [sys.executable, "-c", _FAMILY], log_path=log) as child:
        await child.wait_for_line("born", seconds=10)
        process = psutil.Process(child.process.pid)
        async with asyncio.TaskGroup() as group:
            standing = group.create_task(stand_still(process.pid, 600))
            await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
            standing.cancel()

        await eventually(lambda: process.status() != psutil.STATUS_STOPPED)


async def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """SIGTERM first, SIGKILL when the time is over."""
    argv = [sys.executable, "-c", _STUBBORN]
    async with run_child("deaf", argv, log_path=tmp_path / "log", stop_seconds=0.2) as child:
        await child.wait_for_line("deaf", seconds=10)

    assert child.process.returncode == -signal.SIGKILL


async def test_a_death_before_readiness_is_told_with_the_last_words(tmp_path: Path) -> None:
    """The caller that waits for readiness learns of the end at once, and why."""
    argv = [sys.executable, "-c", "print('no keys given'); raise SystemExit(3)"]
    async with run_child("the emulator", argv, log_path=tmp_path / "log") as child:
        with pytest.raises(SetupError) as caught:
            await child.wait_for_line("ready", seconds=10)

    assert str(caught.value) == (
        "the emulator ended (exit code 3); its last lines:\n  no keys given"
    )


async def test_readiness_has_a_deadline(tmp_path: Path) -> None:
    """A child that never gets ready is given up in words."""
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    async with run_child("a sleeper", argv, log_path=tmp_path / "log") as child:
        with pytest.raises(SetupError, match="a sleeper was not ready after 0 s"):
            await child.wait_for_line("ready", seconds=0.3)


async def test_a_missing_program_is_told(tmp_path: Path) -> None:
    """A program that does not exist ends with the reason among its last lines."""
    async with run_child("nothing", ["/no/such/program"], log_path=tmp_path / "log") as child:
        with pytest.raises(SetupError, match="No such file"):
            await child.wait_for_line("ready", seconds=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties one life to another")
def test_a_child_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the parent, which can clean nothing up, takes the child along."""
    parent = f"""
import asyncio, sys
from pathlib import Path
from palabra_agent.local.processes import run_child

async def main():
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    async with run_child("a child", argv, log_path=Path({str(tmp_path / "log")!r})) as child:
        print(child.process.pid, flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert _is_alive(child)
        process.kill()

    assert _gone(child)


async def test_a_listener_is_seen_and_its_port_is_not_free() -> None:
    """The two questions about a port agree with each other."""
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]

        assert await accepts_connections("127.0.0.1", port)
        assert not is_port_free(port)

    assert is_port_free(free_port())
