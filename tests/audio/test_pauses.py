"""Pauses are told from speech, in a quiet room and in a noisy one."""

from __future__ import annotations

from itertools import cycle, islice

import pytest

from palabra_agent.audio.pauses import PauseDetector
from tests.fakes import frame

pytestmark = pytest.mark.unit


def pauses(*levels: int) -> list[bool]:
    """Tell which frames of a sound are pauses, by their levels."""
    detector = PauseDetector()
    return [detector.is_pause(frame(level)) for level in levels]


def test_a_quiet_room() -> None:
    """Below -40 dBFS nobody speaks, above it somebody does."""
    assert pauses(0, 300, 1000, 9000, 300, 0) == [True, True, False, False, True, True]


def test_a_hum_becomes_a_pause() -> None:
    """What is always there is no speech; whoever speaks up is heard over it at once."""
    told = pauses(*[580] * 1000, 3000, 3000, 580)

    assert not told[0]
    assert all(told[500:1000])
    assert told[1000:] == [False, False, True]


def test_pauses_in_a_noisy_room() -> None:
    """The noise between the words is a pause, the words are none."""
    talk = [*[4000] * 100, *[500] * 30]
    told = pauses(*islice(cycle(talk), 1300))[650:]

    assert told == [level == 500 for level in islice(cycle(talk), 650)]


def test_a_tone_is_no_pause() -> None:
    """However long it sounds: what is louder than noise can be is a sound of its own."""
    assert not any(pauses(*[4000] * 6000))
