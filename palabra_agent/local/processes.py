"""Child processes with a life inside `async with`: nothing that is started here outlives its block.

This module alone knows how a program is started, watched and ended: in a process group of its own
(so that a Ctrl-C in the terminal reaches only us, and we end the children in order), tied to our
life (`die_with_parent.py`), its output in a log file whose last lines explain a death. Leaving the
block sends SIGTERM, waits, and kills all of the group that is still there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import textwrap
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from palabra_agent.errors import SetupError

_DIE_WITH_PARENT: Final = Path(__file__).with_name("die_with_parent.py")
_POLL_SECONDS: Final = 0.05
_KILL_SECONDS: Final = 5.0
_LINE_LENGTH: Final = 240
_TAIL_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Child:
    """A program that runs until its block is left."""

    name: str
    """Its name in sentences: `livekit-server`, `the emulator`."""
    process: Process
    log_path: Path
    """Everything that it prints, both streams."""

    @property
    def has_ended(self) -> bool:
        """True once it is over, for whatever reason."""
        return self.process.returncode is not None

    def last_lines(self, count: int = 5) -> list[str]:
        """The end of what it printed: no empty lines, long ones cut."""
        lines = [line.rstrip() for line in self._tail().splitlines() if line.strip()]
        return [textwrap.shorten(line, _LINE_LENGTH) for line in lines[-count:]]

    async def wait_until(self, ready: Callable[[], Awaitable[bool]], seconds: float) -> None:
        """Ask `ready` again and again until it says yes.

        Raises:
            SetupError: The program ended, or is not ready within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                while not await ready():
                    if self.has_ended:
                        raise SetupError(self.obituary())
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise SetupError(
                f"{self.name} was not ready after {seconds:.0f} s{self.last_words()}"
            ) from None

    async def wait_for_line(self, text: str, seconds: float) -> None:
        """Wait until it has printed a line that contains `text`.

        Raises:
            SetupError: The program ended, or has not said so within `seconds`.
        """

        async def said() -> bool:
            return text in self._tail()

        await self.wait_until(said, seconds)

    def obituary(self) -> str:
        """A sentence about its end, with its last words."""
        return f"{self.name} ended ({self._cause()}){self.last_words()}"

    def _cause(self) -> str:
        code = self.process.returncode
        if code is None:
            return "still running"

        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def last_words(self) -> str:
        """The end of what it printed, as the end of a sentence; empty if it printed nothing."""
        lines = self.last_lines()
        return "; its last lines:\n" + "\n".join(f"  {line}" for line in lines) if lines else ""

    def _tail(self) -> str:
        with self.log_path.open("rb") as log:
            log.seek(max(0, self.log_path.stat().st_size - _TAIL_BYTES))
            return log.read().decode(errors="replace")


@asynccontextmanager
async def run_child(
    name: str,
    argv: Sequence[str],
    *,
    log_path: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_seconds: float = 5.0,
) -> AsyncGenerator[Child]:
    """Run a program while the block runs; its group is gone when the block has been left.

    Args:
        name: Its name in sentences.
        argv: The program and its arguments.
        log_path: Where its output goes; its folder exists.
        env: Variables besides those of this process.
        cwd: Where it runs; here by default.
        stop_seconds: How long it may take to end by itself after SIGTERM.

    Raises:
        SetupError: The program cannot be started.
    """
    command = tied_to_us(argv)
    with log_path.open("wb") as log:
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                process_group=0,
            )
        except OSError as error:
            raise SetupError(f"{name} cannot be started: {error.strerror}") from None

    try:
        yield Child(name, process, log_path)
    finally:
        await _end(process, stop_seconds)


def tied_to_us(argv: Sequence[str]) -> list[str]:
    """A command line that runs this program, and ends it where this process ends in any way."""
    return [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), *argv]


async def stand_still(pid: int, seconds: float) -> None:
    """Stop a process with all its threads, as a starved machine does, and let it go on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(pid, signal.SIGCONT)


async def _end(process: Process, seconds: float) -> None:
    """Ask a group to end, then kill what is left of it.

    A second cancellation while waiting does not spare the group: it is killed at once.
    """
    try:
        if process.returncode is None:
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await process.wait()
    finally:
        _signal_group(process.pid, signal.SIGKILL)

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_KILL_SECONDS):
            await process.wait()


def _signal_group(pgid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, number)


async def accepts_connections(host: str, port: int) -> bool:
    """Find out if a server listens there."""
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False

    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "") -> int:
    """Find a port that no socket uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_free(port: int, kind: socket.SocketKind = socket.SOCK_STREAM, host: str = "") -> bool:
    """Find out if a server could listen on a port now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False

    return True
