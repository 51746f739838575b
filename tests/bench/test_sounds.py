"""Sounds are found again where they were heard later."""

from __future__ import annotations

import pytest

from bench.sounds import Sound, paired, whole

pytestmark = pytest.mark.unit


def sounds(*began: float) -> list[Sound]:
    """Some sounds of half a second."""
    return [Sound(at, at + 0.5) for at in began]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ((0.1, 3.2, 6.9), [(0, 0.1), (3, 3.2), (6, 6.9)]),
        ((0.1, 6.9), [(0, 0.1), (6, 6.9)]),
        ((-0.5, 3.2, 4.4), [(3, 3.2)]),
        ((), []),
    ],
    ids=["all", "one lost", "one before and one of nothing", "all lost"],
)
def test_each_sound_is_found_once(
    later: tuple[float, ...], expected: list[tuple[float, float]]
) -> None:
    """The first one after it that is near enough, and no other."""
    pairs = paired(sounds(0, 3, 6), sounds(*later), 1.5)

    assert [(here.began, there.began) for here, there in pairs] == expected


def test_holes_make_no_two_sounds_of_one() -> None:
    """Pieces that are near are one sound; a pause is between two."""
    pieces = [Sound(0.0, 1.0), Sound(1.2, 1.3), Sound(1.5, 2.0), Sound(2.4, 3.0)]

    assert whole(pieces, 0.3) == [Sound(0.0, 2.0), Sound(2.4, 3.0)]
    assert whole([], 0.3) == []
