"""The facts about sound."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_MS, FRAME_SAMPLES, Pcm, duration_ms, peak
from tests.fakes import flat

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("sound", "expected"),
    [
        (flat(0), 0),
        (flat(32767), 32767),
        (flat(-32768), 32768),
        (flat(0, samples=0), 0),
        (np.array([0, 7, -32768, 0], dtype=np.int16), 32768),
    ],
)
def test_the_peak_is_of_either_sign(sound: Pcm, expected: int) -> None:
    """One loud sample counts, the most negative one too."""
    assert peak(sound) == expected


@pytest.mark.parametrize(
    ("samples", "expected"), [(0, 0), (48, 1), (FRAME_SAMPLES, FRAME_MS), (48_000, 1000)]
)
def test_length_is_told_in_milliseconds(samples: int, expected: float) -> None:
    """A frame sounds as long as its samples at 48 kHz."""
    assert duration_ms(flat(samples=samples)) == expected
