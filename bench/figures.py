"""A measured quantity: its samples, and the few numbers that people want of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report, or one cell where several ways are compared."""

    what: str
    unit: str
    samples: tuple[float, ...]
    aim: float | None = None
    """What the median should stay under, where there is an aim."""
    column: str = ""
    """Which of several ways it belongs to, where they are compared."""

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.samples) if self.samples else float("nan")

    @property
    def p95(self) -> float:
        """What 95 of 100 samples stay under."""
        return percentile(self.samples, 0.95)

    @property
    def worst(self) -> float:
        """The largest sample."""
        return max(self.samples, default=float("nan"))


def of_column(column: str, figures: Iterable[Figure]) -> list[Figure]:
    """Put figures into a column of a comparison."""
    return [replace(figure, column=column) for figure in figures]


def percentile(samples: Sequence[float], share: float) -> float:
    """The sample that this share of all stays under or at."""
    if not samples:
        return float("nan")

    ordered = sorted(samples)
    return ordered[min(round(share * (len(ordered) - 1)), len(ordered) - 1)]
