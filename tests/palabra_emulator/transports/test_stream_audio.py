"""The pace of sound in messages: what is complained about, when, and how often."""

from __future__ import annotations

import pytest

from palabra_emulator.transports.stream_audio import (
    STALLED,
    TOO_FAST,
    TOO_SLOW,
    InputPace,
    PaceWarning,
)

pytestmark = pytest.mark.unit


class Stream:
    """A pace with a clock and a client that the test plays."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pace = InputPace(self.now)

    def send(self, chunks: int, *, seconds: float = 0.3, every: float) -> list[PaceWarning]:
        """Send chunks of sound, one every so often; what is complained about."""
        return [it for _ in range(chunks) for it in self._send(seconds, every)]

    def wait(self, seconds: float) -> list[PaceWarning]:
        """Send nothing; what is complained about."""
        found: list[PaceWarning | None] = []
        for _ in range(round(seconds / 0.05)):
            self.now += 0.05
            found.append(self.pace.check(self.now))

        return [it for it in found if it is not None]

    def _send(self, seconds: float, every: float) -> list[PaceWarning]:
        complaint = self.pace.arrived(seconds, self.now)
        return [*([complaint] if complaint else []), *self.wait(every)]


def test_real_time_is_right() -> None:
    """Five minutes at the clock's pace, chunk by chunk or with jitter, are never wrong."""
    assert Stream().send(1000, every=0.3) == []
    assert Stream().send(300, seconds=1.0, every=1.0) == []


def test_a_late_beginning_is_not_slow() -> None:
    """The pace is judged from the first sound on, however long after the task it comes."""
    stream = Stream()
    assert stream.wait(2.5) == []
    assert stream.send(30, every=0.3) == []


def test_running_ahead_is_said_once_per_burst() -> None:
    """More than two seconds ahead of the clock is too fast, until the clock has caught up."""
    stream = Stream()
    assert stream.send(6, every=0.0) == []
    assert stream.send(20, every=0.0) == [TOO_FAST]
    assert stream.wait(2.5) == []
    stream.wait(6)
    assert stream.send(3, every=0.3) == []
    assert stream.send(20, every=0.0) == [TOO_FAST]


def test_falling_behind_is_said_once() -> None:
    """Less than three quarters of real time over four seconds is too slow, until it is right."""
    stream = Stream()
    assert stream.send(20, every=0.65) == [TOO_SLOW]
    assert stream.send(30, every=0.3) == []
    assert stream.send(20, every=0.65) == [TOO_SLOW]


def test_stall_is_said_once_and_long_before_the_watchdog() -> None:
    """Three seconds without sound are a stall; what comes after it is judged anew."""
    stream = Stream()
    assert stream.send(20, every=0.3) == []
    assert stream.wait(2.5) == []
    assert stream.wait(6) == [STALLED]
    assert stream.send(30, every=0.3) == []
    assert stream.wait(4) == [STALLED]


def test_sound_that_never_comes_is_a_stall() -> None:
    """The count begins when the task begins to run."""
    assert Stream().wait(9) == [STALLED]


def test_every_pace_is_judged() -> None:
    """From half to double speed, only what is near real time passes."""
    verdicts = [Stream().send(60, every=step / 20) for step in range(2, 16, 2)]
    assert verdicts[0] == verdicts[1] == [TOO_FAST]
    assert verdicts[2] == []
    assert verdicts[-1] == [TOO_SLOW]
