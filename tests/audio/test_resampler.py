"""Changing the sample rate of a running sound."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from palabra_agent.audio.pcm import SAMPLE_RATE, Pcm
from palabra_agent.audio.resampler import Resampler
from palabra_agent.audio.tones import tone, tone_level_db

pytestmark = pytest.mark.unit

_LARGEST_MB = 100
"""Ten minutes of 48 kHz sound are 58 MB, and are there twice while they are put together."""

RATES = (16_000, 22_050, 24_000, 32_000, 44_100)


def noise(samples: int) -> Pcm:
    """Make the same noise every time."""
    return np.random.default_rng(7).integers(-20_000, 20_000, samples, dtype=np.int16)


def pieces(pcm: Pcm, sizes: list[int]) -> list[Pcm]:
    """Cut a sound, the sizes coming round again and again."""
    ends = np.cumsum(np.resize(sizes, pcm.size))
    return np.split(pcm, ends[ends < pcm.size].tolist())


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("is_up", [False, True])
def test_a_tone_stays_a_tone(rate: int, is_up: bool) -> None:
    """Pitch and level stay, and nothing is heard beside it, down to -70 dB."""
    source, target = (rate, SAMPLE_RATE) if is_up else (SAMPLE_RATE, rate)
    came = Resampler(source, target).push(tone(1000, 1.0, rate=source))
    settled = came[target // 10 : -target // 10]
    at = np.arange(settled.size) / target
    basis = np.stack([np.sin(2 * np.pi * 1000 * at), np.cos(2 * np.pi * 1000 * at)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, settled.astype(float))
    beside = settled - basis @ fit

    assert tone_level_db(settled, 1000, rate=target) == pytest.approx(-10.46, abs=0.05)
    assert np.sqrt(np.mean(beside**2)) < 10 ** (-70 / 20) * 0.3 * 32767


def test_what_the_lower_rate_cannot_hold_is_left_out() -> None:
    """A tone above its highest does not come back as a lower one."""
    came = Resampler(SAMPLE_RATE, 16_000).push(tone(9_500, 1.0))

    assert np.abs(came[1000:-1000]).max() < 10 ** (-60 / 20) * 32767


@pytest.mark.parametrize("rate", RATES)
def test_nothing_drifts(rate: int) -> None:
    """As much comes out as went in, at every moment of two minutes in pieces."""
    resampler = Resampler(SAMPLE_RATE, rate)
    piece, out = np.zeros(48_000 + 13, np.int16), 0
    for count in range(1, 121):
        out += resampler.push(piece).size
        assert out == -(-count * piece.size * rate // SAMPLE_RATE)


@given(
    sizes=st.lists(st.integers(1, 2000), min_size=1, max_size=8),
    source=st.sampled_from((24_000, SAMPLE_RATE)),
    target=st.sampled_from((*RATES, SAMPLE_RATE)),
)
@settings(deadline=None, max_examples=40)
def test_pieces_leave_no_seam(sizes: list[int], source: int, target: int) -> None:
    """The sound is the same to the last bit, wherever it was cut."""
    whole = noise(5_000)
    resampler = Resampler(source, target)
    came = np.concatenate([resampler.push(piece) for piece in pieces(whole, sizes)])

    assert np.array_equal(came, Resampler(source, target).push(whole))


def test_the_same_rate_changes_nothing() -> None:
    """Where there is nothing to change, every sample comes back at once."""
    resampler = Resampler(SAMPLE_RATE, SAMPLE_RATE)

    assert np.array_equal(resampler.push(noise(100)), noise(100))
    assert resampler.delay_samples == 0


def test_it_is_as_late_as_it_says() -> None:
    """A single sample comes out by its delay later, at its own height."""
    resampler = Resampler(24_000, SAMPLE_RATE)
    came = resampler.push(np.array([10_000] + [0] * 99, np.int16))

    assert int(came.argmax()) == 2 * resampler.delay_samples
    assert came.max() == pytest.approx(10_000 * 0.93, abs=50)


def test_a_constant_stays_what_it_is() -> None:
    """Even the loudest, without a ripple; nothing wraps around."""
    came = Resampler(24_000, SAMPLE_RATE).push(np.full(1000, 32767, np.int16))

    assert set(came[200:].tolist()) == {32767}


def test_ten_minutes_at_once_take_little_memory() -> None:
    """A long sound is no more than the sum of its pieces, neither in what comes out nor in RAM."""
    pcm = np.tile(tone(440, 1.0, rate=16_000), 600)
    tracemalloc.start()
    resampled = Resampler(16_000, 48_000).push(pcm)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert resampled.size == 600 * 48_000
    assert most < (_LARGEST_MB + 2 * 58) * 1e6
