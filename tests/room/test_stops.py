"""Stops of the process: counted where all of it stood still, and not where it was busy itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from palabra_agent.room.stops import Stops

pytestmark = pytest.mark.unit

STOPPED = """
import logging, sys
from palabra_agent.room.stops import counting_stops

logging.basicConfig(format="%(message)s", stream=sys.stdout)
with counting_stops() as stops:
    print("counting", flush=True)
    sys.stdin.readline()
print(stops.count, stops.longest, stops.last)
"""
STOP_SECONDS = 0.6


@pytest.mark.parametrize(
    ("late", "busy", "is_stop"),
    [
        pytest.param(0.2, 0.0, True, id="all of it stood still"),
        pytest.param(0.2, 0.08, True, id="native threads worked before or after it"),
        pytest.param(0.1, 0.0, False, id="too short to tell"),
        pytest.param(0.3, 0.28, False, id="a computation held Python's lock"),
    ],
)
def test_a_stop_is_a_long_time_in_which_nothing_ran(
    late: float, busy: float, *, is_stop: bool
) -> None:
    """By the thread that woke up late, and the processor time of the whole process."""
    stops = Stops()
    assert stops.note(late, busy, now=100.0) is is_stop
    assert stops.count == is_stop


def test_the_longest_and_the_last_are_kept() -> None:
    """With the time at which the last one ended."""
    stops = Stops()
    for late, now in ((0.3, 10.0), (0.5, 20.0), (0.2, 30.0)):
        stops.note(late, 0.0, now)

    assert stops == Stops(count=3, longest=0.5, last=0.2, ended_at=30.0)


def test_a_process_that_was_stopped_notices_and_logs_it() -> None:
    """Stopped as a starved or migrated machine does it: with all its threads."""
    argv = [sys.executable, "-c", STOPPED]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "counting\n"
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(STOP_SECONDS)
        os.kill(child.pid, signal.SIGCONT)
        assert child.stdout.readline() == "the process was stopped\n"
        said, _ = child.communicate("end\n")

    count, longest, last = said.split()[-3:]
    assert int(count) >= 1
    assert float(longest) >= STOP_SECONDS - 0.1
    assert float(last) <= float(longest)
