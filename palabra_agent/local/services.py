"""The services around a meeting as processes: LiveKit, the Palabra emulator, the worker.

This module alone knows how they are started so that they find each other and no others: ports of
their own, keys made up for this run, a folder for their logs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.processes import Child, accepts_connections, free_port, run_child

AGENT_NAME: Final = "palabra-demo"
_HOST: Final = "127.0.0.1"
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 3.0
"""The time that the worker takes at most when it is told to stop now."""
_WATCH_SECONDS: Final = 0.2
_REGISTERED: Final = "registered worker"
_WORKER_SETTINGS: Final = "[worker]\nload_threshold = 2\n"
"""Everything shares this machine, and a busy one must not keep the interpreter away."""

Announce = Callable[[str], None]
"""Told about each thing that is ready."""


@dataclass(frozen=True, slots=True)
class LocalServices:
    """The processes that run around a meeting."""

    livekit: RunningLiveKit
    emulator_url: str
    emulator: Child
    worker: Child

    async def fail_when_one_ends(self) -> NoReturn:
        """Watch the processes until one of them ends, which none of them should.

        Raises:
            SetupError: One ended; says which, and its last words.
        """
        while True:
            for child in (self.livekit.child, self.emulator, self.worker):
                if child.has_ended:
                    raise SetupError(child.obituary())
            await asyncio.sleep(_WATCH_SECONDS)


@dataclass(frozen=True, slots=True)
class EmulatorProcess:
    """An emulator that was started."""

    url: str
    child: Child

    async def until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            SetupError: It ended, or does not answer in time.
        """
        port = int(self.url.rpartition(":")[2])
        await self.child.wait_until(lambda: accepts_connections(_HOST, port), _READY_SECONDS)


@asynccontextmanager
async def run_services(
    logs: Path,
    *,
    voice: Literal["marker", "espeak"],
    announce: Announce,
    script: Path | None = None,
) -> AsyncGenerator[LocalServices]:
    """Run LiveKit, the emulator and the worker while the block runs.

    Raises:
        SetupError: One of them did not come up; says which, and its last words.
    """
    started = time.monotonic()

    def ready(what: str) -> None:
        announce(f"{what} ({time.monotonic() - started:.1f} s)")

    async with AsyncExitStack() as stack:
        livekit = await stack.enter_async_context(
            run_livekit_server(log_path=logs / "livekit-server.log")
        )
        ready(f"LiveKit server at {livekit.url}")

        options = ["--voice", voice, *(["--script", str(script)] if script is not None else [])]
        emulator = await stack.enter_async_context(run_emulator(livekit, logs, *options))
        env = livekit_environment(livekit) | palabra_environment(emulator.url)
        worker = await stack.enter_async_context(run_worker(AGENT_NAME, logs, env))
        await emulator.until_ready()
        ready(f"Palabra emulator at {emulator.url}")
        await wait_until_registered(worker)
        ready("worker registered")

        yield LocalServices(livekit, emulator.url, emulator.child, worker)


@asynccontextmanager
async def run_emulator(
    livekit: RunningLiveKit, logs: Path, *options: str, port: int = 0
) -> AsyncGenerator[EmulatorProcess]:
    """Run an emulator while the block runs, whose rooms are on a LiveKit server.

    Args:
        livekit: The server of its rooms.
        logs: The folder of its log.
        *options: Of `palabra-agent emulator`.
        port: A free one by default.
    """
    port = port or free_port(host=_HOST)
    words = ("emulator", "--port", str(port), *options)
    async with _run(words, logs, livekit_environment(livekit)) as child:
        yield EmulatorProcess(f"http://{_HOST}:{port}", child)


@asynccontextmanager
async def run_worker(name: str, logs: Path, env: Mapping[str, str]) -> AsyncGenerator[Child]:
    """Run a worker of this agent name while the block runs; it stops at once when told to."""
    settings = logs / "worker.toml"
    settings.write_text(_WORKER_SETTINGS)
    words = ("start", "--settings", str(settings), "--port", "0", "--drain-seconds", "0")
    names = {"PALABRA_AGENT_NAME": name, "LIVEKIT_AGENT_NAME_OVERRIDE": name}
    async with _run(words, logs, {**env, **names}) as child:
        yield child


async def wait_until_registered(worker: Child, seconds: float = _READY_SECONDS) -> None:
    """Wait until a worker takes rooms.

    Raises:
        SetupError: It ended, or has not registered in time.
    """
    await worker.wait_for_line(_REGISTERED, seconds)


def command(*words: str) -> list[str]:
    """The command line of `palabra-agent`."""
    return [sys.executable, "-m", "palabra_agent", *words]


def livekit_environment(livekit: RunningLiveKit) -> dict[str, str]:
    """Variables that lead to a LiveKit server; they win over those set for real work."""
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }


def palabra_environment(url: str) -> dict[str, str]:
    """Variables that lead to an emulator, which takes any credentials of this form."""
    return {
        "PALABRA_API_URL": url,
        "PALABRA_CLIENT_ID": "local",
        "PALABRA_CLIENT_SECRET": "local",
        "PALABRA_API_KEY": "",
    }


def _run(
    words: tuple[str, ...], logs: Path, env: Mapping[str, str]
) -> AbstractAsyncContextManager[Child]:
    """Run one of our own commands; its log is called like its first word."""
    kind = {"start": "worker"}.get(words[0], words[0])
    return run_child(
        f"the {kind}",
        command(*words),
        log_path=logs / f"{words[0]}.log",
        env=env,
        cwd=logs,
        stop_seconds=_STOP_SECONDS,
    )
