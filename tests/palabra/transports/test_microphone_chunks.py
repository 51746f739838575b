"""Cutting the speaker's voice into chunks."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.audio.buffer import FrameBuffer
from palabra_agent.audio.frame import Frame
from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.palabra.transports.microphone_chunks import MicrophoneChunks
from tests.fakes import flat, frame

pytestmark = pytest.mark.unit

CHUNK = 320 * 48
FRAME_SECONDS = 0.02


class Clock:
    """Writes and takes when it is time to, as the transport does."""

    def __init__(self, chunk_ms: int = 320) -> None:
        self.now = 100.0
        self.voice = MicrophoneChunks(chunk_ms)
        self.voice.begin(self.now)
        self.chunks: list[Pcm] = []
        self.times: list[float] = []

    def pass_until(self, now: float) -> None:
        """Let time pass, taking every chunk when it is due."""
        while self.voice.due_at <= now:
            self.now = max(self.now, self.voice.due_at)
            self.chunks.append(self.voice.take(self.now))
            self.times.append(self.now)

        self.now = max(self.now, now)

    def speak(self, *frames: Pcm) -> None:
        """Write frames at the speed of speech."""
        for it in frames:
            self.pass_until(self.now + FRAME_SECONDS)
            self.voice.write(it, self.now)

    def flush(self, *frames: Pcm) -> None:
        """Write frames as fast as they are taken."""
        for it in frames:
            while self.voice.is_full:
                self.pass_until(self.voice.due_at)
            self.voice.write(it, self.now)

    @property
    def sound(self) -> Pcm:
        """All that was taken."""
        return np.concatenate(self.chunks)


def speech(seconds: float) -> list[Pcm]:
    """Make frames, no two of which are alike."""
    return [flat(number + 1) for number in range(round(seconds / FRAME_SECONDS))]


def test_speech_arrives_as_it_was_spoken() -> None:
    """Every sample of speech in real time comes out once, in order and without a gap."""
    clock = Clock()
    clock.speak(*speech(10))
    clock.pass_until(clock.now + 1)
    start = int(np.argmax(clock.sound == 1))

    assert start <= 0.04 * SAMPLE_RATE
    assert np.array_equal(clock.sound[start : start + 10 * SAMPLE_RATE], np.concatenate(speech(10)))


def test_silence_is_sent_where_nothing_is_written() -> None:
    """There is a chunk for every moment, whether anybody speaks or not."""
    clock = Clock()
    clock.pass_until(clock.now + 3.24)

    assert len(clock.chunks) == 10
    assert not clock.sound.any()
    assert clock.voice.statistics().silence_ms == 3200


def test_a_pause_stays_as_long_as_it_was() -> None:
    """Frames keep their places in time, though nobody writes a pause."""
    clock = Clock()
    clock.speak(*[flat(7)] * 10)
    clock.pass_until(clock.now + 0.5)
    clock.speak(*[flat(9)] * 10)
    clock.pass_until(clock.now + 1)
    gap = int(np.argmax(clock.sound == 9)) - int(np.flatnonzero(clock.sound == 7)[-1]) - 1

    assert gap / SAMPLE_RATE == pytest.approx(0.5, abs=0.045)


def test_late_frames_tear_nothing_apart() -> None:
    """Frames that jitter by less than two of them make one sound."""
    clock, jitter, begin = Clock(), random.Random(5), 100.0
    for number, it in enumerate(speech(20)):
        clock.pass_until(begin + (number + 1) * FRAME_SECONDS + jitter.uniform(0, 0.019))
        clock.voice.write(it, clock.now)
    clock.pass_until(clock.now + 1)
    start = int(np.argmax(clock.sound == 1))

    assert np.array_equal(clock.sound[start : start + 20 * SAMPLE_RATE], np.concatenate(speech(20)))


@pytest.mark.parametrize("chunk_ms", [40, 320, 333, 2000])
def test_ten_minutes_do_not_drift(chunk_ms: int) -> None:
    """After ten minutes of speech each chunk still leaves on time, and nothing is added or lost."""
    clock = Clock(chunk_ms)
    for it in speech(600):
        clock.speak(it)
    clock.pass_until(clock.now + 0.001)
    count = len(clock.chunks)
    account = clock.voice.statistics()

    assert count == (600_000 - 40) // chunk_ms
    assert clock.times[-1] == pytest.approx(100 + 0.04 + count * chunk_ms / 1000, abs=1e-6)
    assert account.in_ms == 600_000
    assert account.silence_ms <= 40
    assert account.held_ms <= chunk_ms + 60


def test_what_was_held_back_is_kept_and_caught_up_with() -> None:
    """A voice written at once arrives whole, a quarter faster than real time, until it is live."""
    clock = Clock()
    clock.flush(*speech(4))
    for it in speech(30):
        clock.now += 1e-9
        clock.flush(it)
        clock.pass_until(clock.now)
    written = np.concatenate(speech(4) + speech(30))
    clock.pass_until(clock.now + 2)
    steps = np.diff(clock.times)

    assert np.array_equal(clock.sound[: written.size], written)
    assert steps.min() >= 0.32 / 1.25 - 1e-9
    assert clock.voice.statistics().dropped_ms == 0


def test_a_delay_goes_away() -> None:
    """Three seconds late, the voice is live again after a quarter of a minute without a pause."""
    clock, waiting = Clock(), speech(3)
    lateness: list[float] = []
    begin = clock.now
    for number, it in enumerate(speech(20)):
        clock.pass_until(begin + (number + 1) * FRAME_SECONDS)
        waiting.append(it)
        while waiting and not clock.voice.is_full:
            clock.voice.write(waiting.pop(0), clock.now)
        lateness.append(len(waiting) * 0.02 + clock.voice.statistics().held_ms / 1000)

    assert lateness[0] == pytest.approx(3, abs=0.05)
    assert max(lateness[-100:]) < 0.32 + 0.04 + 0.1
    assert clock.voice.statistics().silence_ms == 0


def lateness_through_stops(clock: Clock, voice: Sequence[Frame]) -> list[float]:
    """Speak through three stops of the process, after each of which everything comes at once.

    Returns:
        How late each frame left by which one came that was not stopped, in milliseconds.
    """
    begin, waiting = clock.now, FrameBuffer(capacity_ms=400, target_ms=40)
    lateness: list[float] = []
    for number, it in enumerate(voice):
        at = (number + 1) * FRAME_SECONDS
        waiting.put(it)
        stopped_at = next((it for it in (2, 3, 4) if it < at <= it + 0.25), None)
        if stopped_at is not None:
            clock.now = begin + stopped_at + 0.25
            continue

        clock.pass_until(begin + at)
        while not clock.voice.is_full and (due := waiting.take(clock.voice.late_ms(clock.now))):
            clock.voice.write(due.samples, clock.now)
        lateness.append(waiting.statistics().held_ms + clock.voice.late_ms(clock.now))

    return lateness


def test_stops_of_the_process_are_caught_up_with_without_a_pause() -> None:
    """Almost: what is less than a chunk in haste wins back stays."""
    clock = Clock()
    lateness = lateness_through_stops(clock, [frame(1000)] * 400)

    assert max(lateness[:80]) == 0
    assert max(lateness) > 200
    assert max(lateness[-50:]) < 320 * (1 - 1 / 1.25)
    assert clock.voice.statistics().dropped_ms == 0


def test_a_pause_takes_the_rest_of_the_delay_out() -> None:
    """Though there is noise in it, of which some is left out; what may stay is for jitter."""
    clock = Clock()
    voice = [frame(100 if 300 <= number < 350 else 1000) for number in range(400)]

    assert max(lateness_through_stops(clock, voice)[-50:]) <= 40


def test_after_a_stall_no_more_than_a_second_comes_at_once() -> None:
    """Late ticks are caught up with; what was missed before is missed."""
    clock = Clock()
    clock.speak(*speech(1))
    before = len(clock.chunks)
    clock.now += 30
    clock.pass_until(clock.now)

    assert 3 <= len(clock.chunks) - before <= 4
    clock.speak(*speech(1))
    assert clock.voice.statistics().held_ms < 1500


def test_nothing_is_sent_nor_hoarded_while_nobody_listens() -> None:
    """What is written before and after is dropped and counted; no chunk is ever due."""
    voice = MicrophoneChunks(320)
    voice.write(flat(1), 5.0)
    assert voice.due_at == float("inf")
    assert not voice.is_full

    voice.begin(10.0)
    voice.write(flat(2), 10.02)
    voice.stop()
    voice.write(flat(3), 11.0)
    account = voice.statistics()

    assert (account.in_ms, account.dropped_ms, account.out_ms) == (60, 60, 0)

    voice.begin(20.0)
    voice.write(flat(4), 20.02)
    assert set(voice.take(20.36).tolist()) == {4, 0}


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.integers(40, 500))
@settings(deadline=None, max_examples=60)
def test_frames_of_any_length_come_out_as_they_went_in(sizes: list[int], chunk_ms: int) -> None:
    """Whatever pieces are written, they come out in one; the account is balanced."""
    clock = Clock(chunk_ms)
    written = [np.full(size, number + 1, np.int16) for number, size in enumerate(sizes)]
    clock.flush(*written)
    clock.pass_until(clock.now + 5)
    account = clock.voice.statistics()

    whole = np.concatenate(written)
    assert np.array_equal(clock.sound[: whole.size], whole)
    assert account.in_ms + account.silence_ms == pytest.approx(
        account.out_ms + account.dropped_ms + account.held_ms
    )
