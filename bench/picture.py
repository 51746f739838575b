"""A picture of delays over time, as SVG that can be read on light and on dark pages. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from bench.clicks import Point

_WIDTH, _HEIGHT = 720, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 120, 40, 48
_STEPS: Final = (50, 100, 200, 250, 500, 1000, 2000, 5000)
_MOST_LINES: Final = 6
_SECONDS_STEP: Final = 5
_LABEL_HEIGHT: Final = 15
_COLOURS: Final = (("#0b6bcb", "#6cb6ff"), ("#c2410c", "#ff9d66"), ("#6b7280", "#a8b0bd"))
"""On light pages, and on dark ones."""
_DASHES: Final = ("none", "7 4", "2 3")

_STYLE: Final = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.grid { stroke: #8c959f; stroke-opacity: .35 }
.stop { stroke: #8c959f; stroke-width: 2 }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round }
"""
_DARK: Final = "text { fill: #e6edf3 }"


@dataclass(frozen=True, slots=True)
class Curve:
    """The delays of one contender; a line for each run."""

    name: str
    runs: Sequence[Sequence[Point]]


class _Scales:
    """Where seconds and milliseconds are on the picture."""

    def __init__(self, points: Sequence[Point]) -> None:
        seconds = [at for at, _ in points] or [0.0]
        self.first = min(0, math.floor(min(seconds) / _SECONDS_STEP) * _SECONDS_STEP)
        self.last = max(1, math.ceil(max(seconds) / _SECONDS_STEP) * _SECONDS_STEP)
        most = max((ms for _, ms in points), default=1.0)
        self.step = next((it for it in _STEPS if most / it <= _MOST_LINES), _STEPS[-1])
        self.most = max(1, math.ceil(most / self.step)) * self.step

    def x(self, seconds: float) -> float:
        share = (seconds - self.first) / (self.last - self.first)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, ms: float) -> float:
        return round(_HEIGHT - _BOTTOM - ms / self.most * (_HEIGHT - _TOP - _BOTTOM), 1)


def draw(curves: Sequence[Curve], stops: Sequence[float]) -> str:
    """Draw curves in one picture.

    Args:
        curves: At most three.
        stops: The times at which the processes stood still.
    """
    drawn = [curve for curve in curves if any(curve.runs)]
    scales = _Scales([point for curve in drawn for run in curve.runs for point in run])
    names = ", ".join(curve.name for curve in drawn)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(f'Delay both ways, in milliseconds, over time: {names}')}</title>",
        f"<style>{_STYLE}{_colours(0)}@media (prefers-color-scheme: dark) "
        f"{{ {_DARK}\n{_colours(1)} }}</style>",
        *_axes(scales, stops),
        *_lines(drawn, scales),
        *_labels(drawn, scales),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _colours(theme: int) -> str:
    rules: list[str] = []
    for number, colours in enumerate(_COLOURS):
        rules.append(f".curve{number} {{ stroke: {colours[theme]} }}")
        rules.append(f".name{number} {{ fill: {colours[theme]} }}")

    return "\n".join(rules) + "\n"


def _axes(scales: _Scales, stops: Sequence[float]) -> Iterator[str]:
    left, right, bottom = _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    for ms in range(0, scales.most + 1, scales.step):
        y = scales.y(ms)
        yield f'<line class="grid" x1="{left}" y1="{y}" x2="{right}" y2="{y}"/>'
        yield f'<text x="{left - 8}" y="{y + 4}" text-anchor="end">{ms}</text>'
    for seconds in range(scales.first, scales.last + 1, _SECONDS_STEP):
        x = scales.x(seconds)
        yield f'<text x="{x}" y="{bottom + 20}" text-anchor="middle">{seconds}</text>'
    for stop in stops:
        x = scales.x(stop)
        yield f'<line class="stop" x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}"/>'
    yield f'<text x="{left - 8}" y="{_TOP - 18}" text-anchor="end">ms</text>'
    yield f'<text x="{right}" y="{bottom + 38}" text-anchor="end">seconds</text>'
    if stops:
        yield f'<text x="{scales.x(stops[0])}" y="{_TOP - 8}">the process stands still</text>'


def _lines(curves: Sequence[Curve], scales: _Scales) -> Iterator[str]:
    for number, curve in enumerate(curves):
        for run in curve.runs:
            path = " ".join(f"{scales.x(at)},{scales.y(ms)}" for at, ms in sorted(run))
            style = f'class="curve curve{number}" stroke-dasharray="{_DASHES[number]}"'
            yield f'<polyline {style} points="{path}"/>'


def _labels(curves: Sequence[Curve], scales: _Scales) -> Iterator[str]:
    """The name of each curve at its end, none over another."""
    ends = [max(max(run) for run in curve.runs if run)[1] for curve in curves]
    lowest = float(_HEIGHT)
    for number in sorted(range(len(curves)), key=lambda number: ends[number]):
        lowest = min(scales.y(ends[number]) + 4, lowest - _LABEL_HEIGHT)
        name = escape(curves[number].name)
        yield f'<text class="name{number}" x="{_WIDTH - _RIGHT + 8}" y="{lowest}">{name}</text>'
