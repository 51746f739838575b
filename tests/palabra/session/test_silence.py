"""A session that answers speech with nothing is suspected, sooner or later."""

from __future__ import annotations

import math

import pytest

from palabra_agent.palabra.session.silence import SilenceWatch

pytestmark = pytest.mark.unit

LOUD, QUIET = 20.0, 0.0


def frames_until_suspicion(watch: SilenceWatch) -> int:
    """Speak until it is suspicious; returns how many frames that took."""
    return next(count for count in range(1, 100_000) if watch.hear(LOUD))


def test_speech_without_an_answer_is_suspicious() -> None:
    """After the limit, and each time after twice as much, up to five minutes."""
    watch = SilenceWatch(4)
    seconds = [frames_until_suspicion(watch) / 50 for _ in range(9)]

    assert seconds == [4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_an_answer_takes_the_suspicion_away() -> None:
    """Counting begins anew."""
    watch = SilenceWatch(4)
    assert not any(watch.hear(LOUD) for _ in range(199))
    watch.answered()

    assert frames_until_suspicion(watch) == 200


def test_silence_needs_no_answer() -> None:
    """Nobody can say how long a pause may be."""
    watch = SilenceWatch(4)

    assert not any(watch.hear(QUIET) for _ in range(10_000))


def test_without_a_limit_nothing_is_suspicious() -> None:
    """Infinity means never."""
    watch = SilenceWatch(math.inf)

    assert not any(watch.hear(LOUD) for _ in range(10_000))
