"""A sound beneath another: whole while it is alone, lowered while the other is heard."""

from __future__ import annotations

import numpy as np
import pytest

from palabra_agent.audio.pcm import FRAME_SAMPLES
from palabra_agent.audio.underlay import LOWERED, Underlay
from tests.fakes import flat, frame

pytestmark = pytest.mark.unit


def test_a_sound_alone_is_not_touched() -> None:
    """Neither the one beneath nor the one above; silence is nothing."""
    underlay = Underlay()
    assert underlay.beneath(None) is None
    with underlay.mixer.open_input() as original:
        original.put(frame(1000))
        heard = underlay.beneath(None)
    assert heard is not None
    assert set(heard.tolist()) == {1000}
    over = flat(2000)
    assert underlay.beneath(over) is over


def test_what_is_beneath_is_lowered_and_comes_back_slowly() -> None:
    """It goes down in a tenth of a second without a step, stays a second, and comes back."""
    underlay = Underlay()
    levels: list[float] = []
    with underlay.mixer.open_input() as original:
        for number in range(150):
            original.put(frame(10_000))
            over = flat(100) if number < 20 else None
            heard = underlay.beneath(over)
            assert heard is not None
            levels += (heard - (100 if over is not None else 0)).tolist()

    steps = np.abs(np.diff(levels))
    at = [levels[(number + 1) * FRAME_SAMPLES - 1] for number in range(150)]
    assert steps.max() < 10
    assert at[4:69] == pytest.approx([10_000 * LOWERED] * 65, abs=2)
    assert at[75] > 10_000 * LOWERED
    assert at[-1] == 10_000


def test_the_sum_does_not_wrap_around() -> None:
    """Two loud sounds are clipped where they meet, and a shorter frame is no obstacle."""
    underlay = Underlay()
    with underlay.mixer.open_input() as original:
        original.put(frame(32_000))
        heard = underlay.beneath(flat(32_000, samples=480))

    assert heard is not None
    assert heard.size == FRAME_SAMPLES
    assert heard[0] == 32_767
    assert 0 < heard[-1] < 32_000
