"""Runs a command in a network namespace of its own, where it can reach nothing but itself.

This module alone knows how such a namespace is made: with `unshare`, a loopback that is up, and a
pair of virtual Ethernet ends that hold `ISOLATED_IP` (libwebrtc takes no loopback addresses, so a
second interface must exist). Nothing that runs inside can send a packet off the machine, and two
runs at the same time never meet on a port. Where namespaces cannot be had (macOS, locked-down
containers) the command runs on the machine's own network instead, and one line on stderr says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

ISOLATED_IP: Final = "10.99.0.1"
"""The one address, besides loopback, of a namespace that this module made."""

ISOLATION_VARIABLE: Final = "PALABRA_AGENT_ISOLATED"
"""`1` inside a namespace; `host` where one was asked for and could not be had; else unset."""

_PROBE_SECONDS: Final = 10.0

_SCRIPT: Final = (
    "set -e; "
    "ip link set lo up; "
    "ip link add palabra0 type veth peer name palabra1; "
    f"ip addr add {ISOLATED_IP}/24 dev palabra0; "
    "ip link set palabra0 up; "
    "ip link set palabra1 up; "
    'exec "$@"'
)


def is_isolated() -> bool:
    """Tell if this process runs in a namespace that this module made."""
    return os.environ.get(ISOLATION_VARIABLE) == "1"


def isolation_was_asked() -> bool:
    """Tell if this process was started through this module, namespace or not."""
    return os.environ.get(ISOLATION_VARIABLE, "") != ""


def isolate_argv(argv: Sequence[str]) -> list[str]:
    """Wrap a command so that it runs in a namespace of its own.

    The command comes back as it is where it already runs in one, or where none can be had.
    """
    if isolation_was_asked():
        return list(argv)

    prefix, problem = _namespace_prefix()
    if problem:
        print(  # noqa: T201 - this is a command's own word to the person who runs it
            f"isolation: running on this machine's own network, because {problem}",
            file=sys.stderr,
            flush=True,
        )

    mark = "host" if problem else "1"
    return [*prefix, "env", f"{ISOLATION_VARIABLE}={mark}", *argv]


def exec_isolated(argv: Sequence[str]) -> None:
    """Replace this process by `argv`, isolated; returns only by raising `OSError`."""
    command = isolate_argv(argv)
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606 - no shell: the list is run as it is


def _namespace_prefix() -> tuple[list[str], str]:
    """The words that put a command into a namespace, or none and the reason why not."""
    for tool, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(tool) is None:
            return [], f"`{tool}` is missing (Debian package {package}; only Linux has it)"

    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    prefix = [*unshare, "sh", "-c", _SCRIPT, "isolated"]
    try:
        tried = subprocess.run(
            [*prefix, "true"], capture_output=True, timeout=_PROBE_SECONDS, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return [], "`unshare` does not answer"

    if tried.returncode != 0:
        words = tried.stderr.strip().splitlines() or ["no reason given"]
        return [], f"network namespaces are not allowed here ({words[0]})"

    return prefix, ""


def main() -> None:
    """Run the command line's words as a command of their own namespace."""
    argv = sys.argv[1:]
    if not argv:
        sys.exit("usage: python -m palabra_agent.local.isolation COMMAND [ARGUMENT…]")

    try:
        exec_isolated(argv)
    except OSError as error:
        sys.exit(f"isolation: {argv[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
