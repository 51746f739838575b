"""A Palabra that behaves as a benchmark needs it, and a worker that uses it.

Its rooms are on a LiveKit server of their own, and the worker finds it behind a relay; so what goes
to Palabra and what goes to the meeting are told apart.
"""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.meetings import CREDENTIALS
from bench.relay import Relay, open_relay
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.processes import Child, accepts_connections, free_port, run_child
from palabra_agent.local.services import LocalServices

_HOST = "127.0.0.1"
_READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class OwnPalabra:
    """All of it, beside the LiveKit server of the meeting."""

    stage: LocalServices
    """The same meeting server, with this emulator and this worker."""
    agent_name: str
    """Asks for this worker."""
    livekit: RunningLiveKit
    """Where Palabra's rooms are."""
    relay: Relay
    ports: frozenset[int]
    """All that the worker talks to when it talks to Palabra."""


@asynccontextmanager
async def open_own_palabra(stage: LocalServices, *options: str) -> AsyncGenerator[OwnPalabra]:
    """Run it for the length of a block.

    Args:
        stage: Where the meeting is.
        options: The emulator's, as `NAME=VALUE`.
    """
    name = f"bench-{secrets.token_hex(3)}"
    logs = stage.worker.log_path.parent / name
    logs.mkdir()
    rtc = {"udp_port": free_port(socket.SOCK_DGRAM), "tcp_port": free_port()}
    port = free_port(host=_HOST)
    words = [word for option in options for word in ("--option", option)]
    async with (
        run_livekit_server(log_path=logs / "livekit.log", settings={"rtc": rtc}) as livekit,
        _ours(["emulator", "--port", str(port), *words], logs, _rooms_at(livekit)) as emulator,
        open_relay(port) as relay,
    ):
        await emulator.wait_until(lambda: accepts_connections(_HOST, port), _READY_SECONDS)
        env = _rooms_at(stage.livekit) | _palabra_at(relay) | _called(name)
        async with _ours(["start", *_worker_options(logs)], logs, env) as worker:
            await worker.wait_for_line("registered worker", _READY_SECONDS)
            own = LocalServices(stage.livekit, f"http://{_HOST}:{port}", emulator, worker)
            yield OwnPalabra(own, name, livekit, relay, frozenset({relay.port, *rtc.values()}))


@asynccontextmanager
async def _ours(words: list[str], logs: Path, env: Mapping[str, str]) -> AsyncGenerator[Child]:
    argv = [sys.executable, "-m", "palabra_agent", *words]
    log_path = logs / f"{words[0]}.log"
    async with run_child(f"the {words[0]}", argv, log_path=log_path, env=env, cwd=logs) as child:
        yield child


def _worker_options(logs: Path) -> list[str]:
    settings = logs / "worker.toml"
    settings.write_text("[worker]\nload_threshold = 2\n")
    return ["--settings", str(settings), "--port", "0", "--drain-seconds", "0"]


def _rooms_at(livekit: RunningLiveKit) -> dict[str, str]:
    return {
        "LIVEKIT_URL": livekit.url,
        "LIVEKIT_API_KEY": livekit.api_key,
        "LIVEKIT_API_SECRET": livekit.api_secret,
    }


def _palabra_at(relay: Relay) -> dict[str, str]:
    return {
        "PALABRA_API_URL": relay.url,
        "PALABRA_CLIENT_ID": CREDENTIALS["ClientId"],
        "PALABRA_CLIENT_SECRET": CREDENTIALS["ClientSecret"],
        "PALABRA_API_KEY": "",
    }


def _called(name: str) -> dict[str, str]:
    return {"PALABRA_AGENT_NAME": name, "LIVEKIT_AGENT_NAME_OVERRIDE": name}
