"""The services around a meeting as processes: LiveKit, the Palabra emulator, the worker.

This module alone knows how they are started so that they find each other and no others: ports of
their own, keys made up for this run, a folder for their logs.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, NoReturn

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.processes import Child, accepts_connections, free_port, run_child

AGENT_NAME: Final = "palabra-demo"
_READY_SECONDS: Final = 30.0
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

        port = free_port(host="127.0.0.1")
        emulator_url = f"http://127.0.0.1:{port}"
        env = _environment(livekit, emulator_url)
        options = ["--voice", voice, *(["--script", str(script)] if script is not None else [])]
        emulator = await stack.enter_async_context(
            _ours("the emulator", ["emulator", "--port", str(port), *options], logs, env)
        )
        worker = await stack.enter_async_context(
            _ours("the worker", ["start", *_worker_options(logs)], logs, env)
        )
        await emulator.wait_until(lambda: accepts_connections("127.0.0.1", port), _READY_SECONDS)
        ready(f"Palabra emulator at {emulator_url}")
        await worker.wait_for_line(_REGISTERED, _READY_SECONDS)
        ready("worker registered")

        yield LocalServices(livekit, emulator_url, emulator, worker)


def _ours(
    name: str, words: Sequence[str], logs: Path, env: Mapping[str, str]
) -> AbstractAsyncContextManager[Child]:
    """Run one of our own commands; its log is called like its first word."""
    return run_child(
        name,
        [sys.executable, "-m", "palabra_agent", *words],
        log_path=logs / f"{words[0]}.log",
        env=env,
        cwd=logs,
        stop_seconds=_STOP_SECONDS,
    )


def _worker_options(logs: Path) -> list[str]:
    settings = logs / "worker.toml"
    settings.write_text(_WORKER_SETTINGS)
    return ["--settings", str(settings), "--port", "0", "--drain-seconds", "0"]


def _environment(livekit: RunningLiveKit, emulator_url: str) -> dict[str, str]:
    """Variables that win over whatever this machine has set for real work."""
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
        "PALABRA_API_URL": emulator_url,
        "PALABRA_CLIENT_ID": "local",
        "PALABRA_CLIENT_SECRET": "local",
        "PALABRA_API_KEY": "",
        "PALABRA_AGENT_NAME": AGENT_NAME,
        "LIVEKIT_AGENT_NAME_OVERRIDE": AGENT_NAME,
    }
