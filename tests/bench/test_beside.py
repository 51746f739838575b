"""Figures of several contenders, and how many times as much the others take."""

from __future__ import annotations

import pytest

from bench.beside import ratios
from bench.figures import Figure

pytestmark = pytest.mark.unit


def test_ratios_compare_medians_of_the_same_thing() -> None:
    """What one of them has not, or has none of, is not compared; nor are counts."""
    ours = [
        Figure("delay", "ms", (100.0, 50.0, 60.0), column="ours"),
        Figure("memory", "MiB", (40.0,), column="ours"),
        Figure("nothing", "ms", (0.0,), column="ours"),
        Figure("lost", "", (1.0,), column="ours"),
    ]
    theirs = [
        Figure("delay", "ms", (90.0,), column="theirs"),
        Figure("memory", "MiB", (), column="theirs"),
        Figure("nothing", "ms", (5.0,), column="theirs"),
        Figure("lost", "", (2.0,), column="theirs"),
        Figure("other", "ms", (5.0,), column="theirs"),
    ]

    assert ratios(ours, theirs) == [Figure("delay", "ms", (1.5,), column="theirs ÷ ours")]
