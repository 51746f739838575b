"""The whole demo as people start it: it proves itself, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.clock import HANG_SECONDS

pytestmark = [pytest.mark.livekit, pytest.mark.usefixtures("livekit_server_binary")]


@contextmanager
def _demo(temporary: Path, *flags: str) -> Generator[subprocess.Popen[str]]:
    """Run `palabra-agent demo`; whatever happens it does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "palabra_agent", "demo", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def _wait_for_line(demo: subprocess.Popen[str], text: str) -> None:
    assert demo.stdout is not None
    for line in demo.stdout:
        if text in line:
            return
    pytest.fail(f"the demo ended without saying {text!r}")


def _family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def _alive(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    until = time.monotonic() + seconds
    alive = processes
    while alive and time.monotonic() < until:
        alive = [one for one in alive if _is_alive(one)]
        time.sleep(0.05)
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_check_passes(tmp_path: Path) -> None:
    """Every listener hears the marker of their language and reads a translation."""
    with _demo(tmp_path, "--check") as demo:
        out, err = demo.communicate(timeout=HANG_SECONDS)

    assert demo.returncode == 0, out + err
    assert out.count("✓") == 4
    assert "The check passed in" in out
    assert list(tmp_path.glob("palabra-agent-*")) == []  # the logs are only kept for a failure


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C, or a signal from elsewhere, ends it within seconds with all of its processes."""
    with _demo(tmp_path) as demo:
        _wait_for_line(demo, "page to join it in a browser")
        _wait_for_line(demo, "interpreter in the room")
        family = _family(demo.pid)
        assert len(family) >= 4  # livekit-server, emulator, worker and its processes
        demo.send_signal(number)
        _, err = demo.communicate(timeout=HANG_SECONDS)

    assert demo.returncode == 0
    assert "Traceback" not in err
    assert _alive(family, seconds=5) == []


def test_being_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    """Not even SIGKILL of the demo leaves a process running."""
    with _demo(tmp_path) as demo:
        _wait_for_line(demo, "worker registered")
        family = _family(demo.pid)
        demo.kill()

    assert _alive(family, seconds=15) == []


def test_a_process_that_dies_ends_the_demo_with_its_last_words(tmp_path: Path) -> None:
    """Which process ended, what it said last and where its log is are told; exit code 1."""
    with _demo(tmp_path) as demo:
        _wait_for_line(demo, "interpreter in the room")
        emulator = next(one for one in _family(demo.pid) if "emulator" in one.cmdline())
        emulator.kill()
        _, err = demo.communicate(timeout=HANG_SECONDS)

    assert demo.returncode == 1
    assert "palabra-agent: the emulator ended (killed by SIGKILL); its last lines:" in err
    assert "logs: " in err
    assert "Traceback" not in err
