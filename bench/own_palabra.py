"""A Palabra that behaves as a benchmark needs it, and a worker that uses it.

Where its rooms are on a LiveKit server of their own, and the worker finds it behind a relay, what
goes to Palabra and what goes to the meeting are told apart.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.relay import Relay, open_relay
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from palabra_agent.local.processes import free_port
from palabra_agent.local.services import (
    LocalServices,
    livekit_environment,
    palabra_environment,
    run_emulator,
    run_worker,
    wait_until_registered,
)


@dataclass(frozen=True, slots=True)
class OwnEmulator:
    """The meeting's LiveKit server, with another emulator and another worker."""

    stage: LocalServices
    agent_name: str
    """Asks for this worker."""


@asynccontextmanager
async def open_own_emulator(stage: LocalServices, *words: str) -> AsyncGenerator[OwnEmulator]:
    """Run one for the length of a block.

    Args:
        stage: Where the meeting is.
        words: Of the emulator's command line.
    """
    name, logs = _new_name(stage)
    async with run_emulator(stage.livekit, logs, *words) as emulator:
        await emulator.until_ready()
        env = livekit_environment(stage.livekit) | palabra_environment(emulator.url)
        async with run_worker(name, logs, env) as worker:
            await wait_until_registered(worker)
            own = LocalServices(stage.livekit, emulator.url, emulator.child, worker)
            yield OwnEmulator(own, name)


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
    name, logs = _new_name(stage)
    rtc = {"udp_port": free_port(socket.SOCK_DGRAM), "tcp_port": free_port()}
    words = [word for option in options for word in ("--option", option)]
    async with (
        run_livekit_server(log_path=logs / "livekit.log", settings={"rtc": rtc}) as livekit,
        run_emulator(livekit, logs, *words) as emulator,
        open_relay(int(emulator.url.rpartition(":")[2])) as relay,
    ):
        await emulator.until_ready()
        env = livekit_environment(stage.livekit) | palabra_environment(relay.url)
        async with run_worker(name, logs, env) as worker:
            await wait_until_registered(worker)
            own = LocalServices(stage.livekit, emulator.url, emulator.child, worker)
            yield OwnPalabra(own, name, livekit, relay, frozenset({relay.port, *rtc.values()}))


def _new_name(stage: LocalServices) -> tuple[str, Path]:
    """A name for a worker, and a folder for its logs."""
    name = f"bench-{secrets.token_hex(3)}"
    logs = stage.worker.log_path.parent / name
    logs.mkdir()
    return name, logs
