"""A network namespace of its own, and what is said where none can be had."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from palabra_agent.local.isolation import ISOLATED_IP, ISOLATION_VARIABLE, isolate_argv

pytestmark = pytest.mark.unit

_ADDRESSES = (
    "import psutil, socket; print(*[a.address for l in psutil.net_if_addrs().values()"
    " for a in l if a.family == socket.AF_INET])"
)


def _run(*argv: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key != ISOLATION_VARIABLE}
    return subprocess.run(
        [sys.executable, "-m", "palabra_agent.local.isolation", *argv],
        env={**env, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_sees_only_its_own_network() -> None:
    """Inside there is loopback and the namespace's address, or a line says that there is none."""
    ran = _run(sys.executable, "-c", _ADDRESSES)

    assert ran.returncode == 0
    assert set(ran.stdout.split()) == {"127.0.0.1", ISOLATED_IP} or "own network" in ran.stderr


def test_a_machine_without_the_tools_runs_the_command_all_the_same() -> None:
    """Where `unshare` is missing the command runs on the host's network; one line says why."""
    script = (
        "from palabra_agent.local.isolation import isolate_argv;"
        "print(isolate_argv(['the', 'command'])[-3:])"
    )
    ran = subprocess.run(
        ["/usr/bin/env", "-i", "PATH=/nonexistent", sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stdout == f"['{ISOLATION_VARIABLE}=host', 'the', 'command']\n"
    assert ran.stderr.count("\n") == 1
    assert "running on this machine's own network, because `unshare` is missing" in ran.stderr


def test_who_is_isolated_already_is_not_isolated_again() -> None:
    """A nested call runs the command as it is."""
    script = "from palabra_agent.local.isolation import isolate_argv; print(isolate_argv(['ls']))"
    ran = _run(sys.executable, "-c", script)

    assert ran.stdout == "['ls']\n"


def test_the_exit_code_is_the_command_s() -> None:
    """Isolation is invisible to the caller of the command."""
    assert _run("false").returncode == 1
    assert _run("sh", "-c", "exit 7").returncode == 7


def test_a_missing_command_is_told_in_words() -> None:
    """No traceback for a command that does not exist, and a usage line for none at all."""
    ran = _run()

    assert ran.returncode == 1
    assert ran.stderr.startswith("usage:")


def test_wrapping_keeps_the_words() -> None:
    """Whatever is put in front, the command's own words come last and unchanged."""
    assert isolate_argv(["echo", "a b", "'"])[-3:] == ["echo", "a b", "'"]
