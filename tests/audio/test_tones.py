"""Tones and their levels, with which other tests prove who reached whom."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.audio.tones import mix, tone, tone_level_db
from tests.fakes import flat

pytestmark = pytest.mark.unit


@given(
    hz=st.integers(min_value=200, max_value=4000),
    amplitude=st.floats(min_value=0.01, max_value=1.0),
)
def test_a_tone_is_found_at_its_own_level(hz: int, amplitude: float) -> None:
    """What is measured is the amplitude that was asked for."""
    measured = tone_level_db(tone(hz, 0.5, amplitude=amplitude), hz)

    assert measured == pytest.approx(20 * np.log10(amplitude), abs=0.3)


def test_neighbours_do_not_disturb() -> None:
    """In a mix of markers each is found, and one that is absent is not."""
    sound = mix(tone(400, 1.0), tone(500, 1.0, amplitude=0.1))

    assert tone_level_db(sound, 400) == pytest.approx(-10.5, abs=0.5)
    assert tone_level_db(sound, 500) == pytest.approx(-20, abs=0.5)
    assert tone_level_db(sound, 600) < -60


def test_silence_has_the_lowest_level() -> None:
    """No sound at all is no error but a level."""
    assert tone_level_db(flat(0), 400) == -120
    assert tone_level_db(flat(samples=0), 400) == -120


def test_another_rate_is_another_length() -> None:
    """A tone for another clock has that clock's samples and is found on it."""
    sound = tone(500, 0.25, rate=24_000)

    assert sound.size == 6000
    assert tone_level_db(sound, 500, rate=24_000) == pytest.approx(-10.5, abs=0.5)


def test_mixing_clips_and_pads() -> None:
    """A sum beyond 16 bits is clipped, never wrapped around; the longest sound counts."""
    loud = mix(flat(30_000, samples=2), flat(30_000, samples=4))
    low = mix(flat(-30_000, samples=2), flat(-30_000, samples=1))

    assert loud.tolist() == [32767, 32767, 30_000, 30_000]
    assert low.tolist() == [-32768, -30_000]
    assert mix().size == 0
