"""Translated speech that came in bursts, given out in frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.audio.pcm import FRAME_SAMPLES, SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler
from palabra_agent.audio.tones import tone, tone_level_db
from palabra_agent.palabra.transports.stream.speech_queue import (
    SPEECH_RATE,
    QueueLimits,
    SpeechQueue,
)

pytestmark = pytest.mark.unit


def played(queue: SpeechQueue) -> Pcm:
    """Take all there is."""
    frames: list[Pcm] = []
    while (it := queue.take()) is not None:
        assert it.size == FRAME_SAMPLES
        frames.append(it)

    return np.concatenate([np.empty(0, np.int16), *frames])


def upsampled(sound: Pcm) -> Pcm:
    """Make of a whole sound what should be heard, with some silence after it."""
    return Resampler(SPEECH_RATE, SAMPLE_RATE).push(np.concatenate((sound, np.zeros(960, "<i2"))))


def ms(duration: int) -> bytes:
    """Make so many milliseconds of speech."""
    return np.full(duration * 24, 500, "<i2").tobytes()


def test_a_tone_stays_a_tone() -> None:
    """Speech at 24 kHz is heard at 48 kHz with its pitch, level and length."""
    queue = SpeechQueue(QueueLimits())
    queue.put(tone(700, 2.0, rate=SPEECH_RATE).tobytes(), "u", is_last=True)
    heard = played(queue)

    assert tone_level_db(heard[: 2 * SAMPLE_RATE], 700) == pytest.approx(-10.5, abs=0.2)
    assert 2.0 <= heard.size / SAMPLE_RATE <= 2.02


@given(st.lists(st.integers(0, 700), min_size=1, max_size=40), st.integers(0, 5000), st.randoms())
@settings(deadline=None, max_examples=60)
def test_chunks_of_any_size_make_the_same_sound(
    sizes: list[int], samples: int, taking: object
) -> None:
    """What comes out is what went in, to the last bit, however it was cut and whenever taken."""
    sound = np.random.default_rng(3).integers(-20_000, 20_000, samples).astype("<i2")
    queue, left, heard = SpeechQueue(QueueLimits()), sound.tobytes(), list[Pcm]()
    for number, size in enumerate(sizes):
        chunk, left = left[:size], left[size:]
        queue.put(chunk, "u", is_last=False)
        if number % 3 == 0 and (it := queue.take()) is not None:
            heard.append(it)

    queue.put(left, "u", is_last=True)
    came = np.concatenate([*heard, played(queue)])

    assert np.array_equal(came, upsampled(sound)[: came.size])
    assert came.size >= 2 * samples
    assert queue.statistics().out_ms == queue.statistics().in_ms == samples / 24


def test_half_a_sample_makes_no_noise_of_what_follows() -> None:
    """Where an utterance ends in the middle of a sample, the next one is still itself."""
    for is_last in (True, False):
        queue = SpeechQueue(QueueLimits())
        queue.put(ms(20) + b"\x77", "u1", is_last=is_last)
        queue.put(ms(40), "u2", is_last=True)
        heard = played(queue)

        assert np.abs(heard[200 : 2 * 60 * 24 - 200]).max() < 600


def test_an_incomplete_frame_waits_for_the_rest() -> None:
    """In the middle of an utterance nothing is filled with silence, until its end is given up."""
    queue = SpeechQueue(QueueLimits())
    seen: list[tuple[int, bool]] = []
    for more in (ms(30), ms(10), b""):
        queue.put(more, "u", is_last=False)
        if not more:
            queue.finish()
        seen.append((played(queue).size // FRAME_SAMPLES, queue.is_under_way))

    assert seen == [(1, True), (1, True), (1, False)]
    assert queue.take() is None


def test_too_much_loses_its_oldest() -> None:
    """Above the bound, speech is cut down to what is desired, and every millisecond is counted."""
    queue = SpeechQueue(QueueLimits(max_ms=1000, desired_ms=300))
    for number in range(11):
        queue.put(np.full(2400, number, "<i2").tobytes(), "u", is_last=False)
    account = queue.statistics()

    assert (account.in_ms, account.dropped_ms, account.held_ms) == (1100, 800, 300)
    assert int(played(queue)[2000]) == 8


def test_what_is_hushed_is_never_heard() -> None:
    """It is counted, what sounded fades at once, and what comes later is heard."""
    queue = SpeechQueue(QueueLimits())
    queue.put(ms(500), "u1", is_last=False)
    assert queue.take() is not None
    queue.hush()
    end = played(queue)

    assert end.size == FRAME_SAMPLES
    assert not end[200:].any()
    assert queue.statistics().hushed_ms == 480

    queue.put(ms(100), "u2", is_last=True)
    assert played(queue).max() > 400


def test_limits_may_change_while_something_waits() -> None:
    """The next thing that comes finds the new ones."""
    queue = SpeechQueue(QueueLimits(max_ms=1000, desired_ms=500))
    queue.put(ms(900), "u", is_last=True)
    queue.limit(QueueLimits(max_ms=300, desired_ms=200))
    assert queue.statistics().held_ms == 900

    queue.put(ms(20), "v", is_last=True)
    assert queue.statistics().held_ms == 200
