"""The process that job processes are forked from."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit


def test_what_a_job_prints_is_no_log_line() -> None:
    """It goes to stderr, also where it is written past Python."""
    program = "import palabra_agent.worker.forkserver, os; print('hello'); os.write(1, b'there')"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert (run.stdout, sorted(run.stderr.split())) == ("", ["hello", "there"])
