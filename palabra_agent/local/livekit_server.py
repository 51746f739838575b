"""A real livekit-server on this machine, for as long as a block runs.

This module alone knows the configuration with which LiveKit serves one machine and asks no
other: no public STUN server, no external address, ports of its own so that several can run.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil

from palabra_agent.errors import SetupError
from palabra_agent.local.livekit_build import find_livekit_server
from palabra_agent.local.processes import Child, free_port, is_port_free, run_child

_READY_SECONDS: Final = 20.0
_STOP_SECONDS: Final = 0.3
"""It keeps nothing that could be lost, and would wait five seconds for people to leave."""
_LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RunningLiveKit:
    """A server that answers, and the keys that it takes."""

    url: str
    """For rooms: `ws://127.0.0.1:7880`."""
    api_key: str
    api_secret: str
    node_ip: str
    """Where its media is."""
    child: Child


def local_ip() -> str:
    """The first IPv4 address of this machine that is not loopback.

    Raises:
        SetupError: There is none, so libwebrtc would have no way to reach a server here.
    """
    states = psutil.net_if_stats()
    for interface, addresses in psutil.net_if_addrs().items():
        if interface in states and not states[interface].isup:
            continue
        for address in addresses:
            if address.family == socket.AF_INET and not address.address.startswith(
                ("127.", "169.254.")
            ):
                return address.address

    raise SetupError(
        "this machine has no network address besides loopback, which WebRTC does not use;"
        " run it in a network namespace: python -m palabra_agent.local.isolation COMMAND"
    )


@asynccontextmanager
async def run_livekit_server(
    *,
    port: int = 0,
    node_ip: str | None = None,
    api_key: str | None = None,
    api_secret: str | None = None,
    log_path: Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> AsyncGenerator[RunningLiveKit]:
    """Run livekit-server while the block runs.

    Args:
        port: For signalling, on loopback and on `node_ip`; 0 takes a free one.
        node_ip: Where media goes; this machine's first address by default.
        api_key: Made up when not given, and so is the secret.
        api_secret: At least 32 characters.
        log_path: Where its log goes; a temporary file by default.
        settings: LiveKit settings that win over ours, section by section.

    Raises:
        SetupError: There is no binary, the port is taken, or the server does not come up.
    """
    binary = find_livekit_server()
    if binary is None:
        raise SetupError("livekit-server is neither on PATH nor in the cache: run `make setup`")

    if port and not is_port_free(port):
        raise SetupError(f"port {port} is taken: stop what listens there, or choose another port")

    ip = node_ip or local_ip()
    port = port or free_port()
    key = api_key or f"API{secrets.token_hex(6)}"
    secret = api_secret or secrets.token_urlsafe(32)
    config = server_config(port=port, node_ip=ip, api_key=key, api_secret=secret)
    for section, wanted in (settings or {}).items():
        mine = config.get(section)
        config[section] = {**mine, **wanted} if isinstance(mine, dict) else wanted

    with tempfile.TemporaryDirectory(prefix="palabra-agent-livekit-") as folder:
        async with run_child(
            "livekit-server",
            [str(binary)],
            log_path=log_path or Path(folder) / "livekit-server.log",
            env={"LIVEKIT_CONFIG": json.dumps(config)},  # not in argv, where others could read it
            stop_seconds=_STOP_SECONDS,
        ) as child:
            await child.wait_until(lambda: _answers(port), _READY_SECONDS)
            yield RunningLiveKit(f"ws://{_LOOPBACK}:{port}", key, secret, ip, child)


def server_config(*, port: int, node_ip: str, api_key: str, api_secret: str) -> dict[str, Any]:
    """LiveKit's configuration for one machine; JSON is YAML too."""
    tcp_port = free_port()
    rtc: dict[str, Any] = {
        "node_ip": node_ip,
        "use_external_ip": False,
        "udp_port": free_port(socket.SOCK_DGRAM),
        "tcp_port": tcp_port,
        # Without a STUN server of ours clients are told to ask Google's. No server answers at this
        # one, which costs nothing; our own UDP port would answer, and confuse its ICE.
        "stun_servers": [f"{node_ip}:{tcp_port}"],
    }
    binds = [_LOOPBACK]
    if node_ip in _own_addresses():
        rtc["ips"] = {"includes": [f"{node_ip}/32"]}
        binds += [node_ip] if node_ip != _LOOPBACK else []

    return {
        "port": port,
        "bind_addresses": binds,
        "rtc": rtc,
        "keys": {api_key: api_secret},
        "logging": {"level": "info", "json": False},
        "room": {"auto_create": True},
    }


def check_node_ip(text: str) -> None:
    """Refuse what cannot be the address of media.

    Raises:
        SetupError: It is no IPv4 address, or one that WebRTC does not use.
    """
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise SetupError(
            f'--node-ip: must be an IPv4 address such as 192.168.1.20, not "{text}"'
        ) from None

    if address.is_loopback or address.is_unspecified:
        raise SetupError(
            f"--node-ip: WebRTC does not use {address}; give an address that other machines could"
            " reach, or leave it out"
        )


async def serve_livekit(
    *,
    port: int = 7880,
    node_ip: str | None = None,
) -> None:
    """Run a server for people until cancelled, printing how to reach it; the `livekit` command.

    Keys come from LIVEKIT_API_KEY and LIVEKIT_API_SECRET, else they are made up and printed.

    Raises:
        SetupError: There is no binary and none can be built, the port is taken, the address is of
            no use, or the server died.
    """
    if node_ip is not None:
        check_node_ip(node_ip)
    await _require_binary()
    key = os.environ.get("LIVEKIT_API_KEY") or None
    secret = os.environ.get("LIVEKIT_API_SECRET") or None
    async with run_livekit_server(
        port=port, node_ip=node_ip, api_key=key, api_secret=secret
    ) as server:
        print(_welcome(server, made_up=key is None or secret is None), flush=True)  # noqa: T201 - a command's output
        await server.child.process.wait()
        raise SetupError(server.child.obituary())


async def _require_binary() -> None:
    """Build livekit-server if there is none, as a program of its own: Ctrl-C must end it too."""
    if find_livekit_server() is not None:
        return

    build = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "palabra_agent.local.livekit_build"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        code = await build.wait()
    finally:
        if build.returncode is None:
            build.send_signal(signal.SIGINT)
            await build.wait()

    if code != 0:
        raise SetupError("there is no livekit-server; see above for how to get one")


def _welcome(server: RunningLiveKit, *, made_up: bool) -> str:
    lines = [
        f"LiveKit serves {server.url} (media on {server.node_ip}); Ctrl-C stops it",
        f"export LIVEKIT_URL={server.url}",
    ]
    if made_up:
        lines += [
            f"export LIVEKIT_API_KEY={server.api_key}",
            f"export LIVEKIT_API_SECRET={server.api_secret}",
        ]

    return "\n".join(lines)


async def _answers(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=2)
    with contextlib.suppress(aiohttp.ClientError, asyncio.TimeoutError):
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(f"http://{_LOOPBACK}:{port}/") as response,
        ):
            return response.status == 200

    return False


def _own_addresses() -> set[str]:
    return {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET
    }
