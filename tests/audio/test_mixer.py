"""The sum of what several interpretations say at once."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st

from palabra_agent.audio.frame import FrameReader
from palabra_agent.audio.mixer import INPUT_CAPACITY_MS, Mixer
from palabra_agent.audio.pcm import FRAME_SAMPLES, SILENCE_PEAK, Pcm
from palabra_agent.audio.tones import tone, tone_level_db
from tests.fakes import flat, frame

pytestmark = pytest.mark.unit

frames = np_st.arrays(np.int16, FRAME_SAMPLES, elements=np_st.from_dtype(np.dtype(np.int16)))
levels = st.integers(min_value=-32768, max_value=32767)


def take(mixer: Mixer) -> Pcm:
    """Take a mix that must be there."""
    mixed = mixer.take()
    assert mixed is not None
    return mixed


@given(frames)
def test_one_voice_passes_untouched(sound: Pcm) -> None:
    """Whatever a single input holds comes out sample by sample, or is a pause."""
    mixer = Mixer()
    with mixer.open_input() as voice, mixer.open_input():
        voice.put(FrameReader().read(sound))
        mixed = mixer.take()

    heard = mixed if mixed is not None else np.zeros(0, dtype=np.int16)
    peak = int(np.abs(sound.astype(np.int32)).max())
    assert np.array_equal(heard, sound) or (mixed is None and peak < SILENCE_PEAK)


def test_silence_gives_nothing() -> None:
    """No inputs, empty inputs and inputs that are silent all make no frame."""
    mixer = Mixer()
    before = mixer.take()
    with mixer.open_input() as one, mixer.open_input():
        empty = mixer.take()
        one.put(frame(0))
        silent = mixer.take()

    assert (before, empty, silent) == (None, None, None)


@given(st.lists(st.lists(levels, min_size=1, max_size=6), min_size=1, max_size=20))
def test_the_sum_never_wraps_around(moments: list[list[int]]) -> None:
    """The mix has the sign of the sum and never more than its strength, however loud."""
    mixer = Mixer()
    with ExitStack() as stack:
        inputs = [stack.enter_context(mixer.open_input()) for _ in range(6)]
        for moment in moments:
            for backlog, level in zip(inputs, moment, strict=False):
                backlog.put(frame(level))
            total = sum(level for level in moment if abs(level) >= SILENCE_PEAK)
            mixed = mixer.take()
            if mixed is None:
                continue

            assert np.all(np.abs(mixed.astype(np.int32)) <= abs(total))
            assert np.all(np.sign(mixed) * np.sign(total) >= 0)


def test_quiet_voices_are_simply_added() -> None:
    """Two voices that fit together are their exact sum."""
    mixer = Mixer()
    with mixer.open_input() as one, mixer.open_input() as other:
        one.put(frame(1000))
        other.put(frame(-300))

        assert np.array_equal(take(mixer), flat(700))


def test_a_loud_moment_is_lowered_and_comes_back_slowly() -> None:
    """After a peak the volume returns in small steps, and is exact again within a second."""
    mixer = Mixer()
    with mixer.open_input() as one, mixer.open_input() as other:
        one.put(frame(30_000))
        other.put(frame(30_000))
        take(mixer)
        peaks: list[int] = []
        for _ in range(50):
            one.put(frame(10_000))
            peaks.append(int(take(mixer).max()))

    assert peaks[0] < 7000
    assert peaks == sorted(peaks)
    assert max(later - earlier for earlier, later in pairwise(peaks)) < 1000
    assert peaks[-1] == 10_000


def test_inputs_do_not_hold_each_other() -> None:
    """One that sends nothing leaves the others' words and their timing alone."""
    mixer = Mixer()
    with mixer.open_input() as one, mixer.open_input():
        for number in range(3):
            one.put(frame(1000 + number))

        assert [int(take(mixer)[0]) for _ in range(3)] == [1000, 1001, 1002]
        assert mixer.take() is None


def test_a_word_does_not_wait_for_the_silence_before_it() -> None:
    """Nor where another speaks meanwhile; within a word everything is played."""
    mixer = Mixer()
    with mixer.open_input() as one, mixer.open_input() as other:
        for level in (0, 0, 1000, 0, 1001):
            one.put(frame(level))
        assert [int(take(mixer)[0]), mixer.take(), int(take(mixer)[0])] == [1000, None, 1001]

        other.put(frame(3))
        for level in (2000, 2001):
            one.put(frame(level))
        assert int(take(mixer)[0]) == 2000
        for level in (0, 500):
            other.put(frame(level))
        assert int(take(mixer)[0]) == 2501


def test_an_input_that_nobody_takes_from_stays_short() -> None:
    """A mixer that is not asked for long holds no more than its bound per input."""
    mixer = Mixer()
    with mixer.open_input() as one:
        for _ in range(100):
            one.put(frame(1000))

        assert [it.held_ms for it in mixer.statistics()] == [INPUT_CAPACITY_MS]
        assert mixer.statistics()[0].dropped_ms == 100 * 20 - INPUT_CAPACITY_MS


def test_an_input_is_gone_after_its_block() -> None:
    """What a closed input still held is not heard."""
    mixer = Mixer()
    with mixer.open_input() as one:
        one.put(frame(1000))

    assert mixer.take() is None
    assert mixer.statistics() == ()


def test_both_voices_are_in_the_mix() -> None:
    """Two tones at once are both found at their own levels."""
    mixer = Mixer()
    mixed: list[Pcm] = []
    with mixer.open_input() as one, mixer.open_input() as other:
        frames = [FrameReader().cut(tone(hz, 0.5)) for hz in (400, 500)]
        for a, b in zip(*frames, strict=True):
            one.put(a)
            other.put(b)
            it = mixer.take()
            mixed.append(flat(0) if it is None else it)

    heard = np.concatenate(mixed)
    assert tone_level_db(heard, 400) == pytest.approx(-10.5, abs=0.5)
    assert tone_level_db(heard, 500) == pytest.approx(-10.5, abs=0.5)


def test_frames_of_different_lengths_are_padded() -> None:
    """A short frame is mixed with the beginning of a longer one."""
    mixer = Mixer()
    with mixer.open_input() as one, mixer.open_input() as other:
        one.put(frame(100, samples=480))
        other.put(frame(100))
        mixed = take(mixer)

    assert mixed.size == FRAME_SAMPLES
    assert (int(mixed[0]), int(mixed[-1])) == (200, 100)
