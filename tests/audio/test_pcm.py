"""The facts about a frame."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import (
    FRAME_MS,
    FRAME_SAMPLES,
    SILENCE_PEAK,
    Pcm,
    duration_ms,
    is_silent,
)
from tests.fakes import frame

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (frame(0), True),
        (frame(SILENCE_PEAK - 1), True),
        (frame(-SILENCE_PEAK + 1), True),
        (frame(SILENCE_PEAK), False),
        (frame(-SILENCE_PEAK), False),
        (frame(32767), False),
        (frame(-32768), False),
        (frame(0, samples=0), True),
        (np.array([0, 0, -32768, 0], dtype=np.int16), False),
    ],
)
def test_a_pause_is_what_nobody_hears(sound: Pcm, expected: bool) -> None:
    """One loud sample of either sign makes a frame audible, the most negative one too."""
    assert is_silent(sound) is expected


@pytest.mark.parametrize(
    ("samples", "expected"), [(0, 0), (48, 1), (FRAME_SAMPLES, FRAME_MS), (48_000, 1000)]
)
def test_length_is_told_in_milliseconds(samples: int, expected: float) -> None:
    """A frame sounds as long as its samples at 48 kHz."""
    assert duration_ms(frame(samples=samples)) == expected
