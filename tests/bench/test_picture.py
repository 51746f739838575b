"""The picture of delays over time."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from bench.picture import Curve, draw

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"


def read(svg: str) -> ElementTree.Element:
    """The picture as XML."""
    return ElementTree.fromstring(svg)  # noqa: S314 - it is our own


def lines(picture: ElementTree.Element) -> list[list[tuple[float, float]]]:
    """The places of each drawn line."""
    drawn: list[list[tuple[float, float]]] = []
    for line in picture.iter(f"{SVG}polyline"):
        pairs = [pair.split(",") for pair in line.attrib["points"].split()]
        drawn.append([(float(x), float(y)) for x, y in pairs])

    return drawn


def labels(picture: ElementTree.Element) -> dict[str, tuple[float, float]]:
    """Each text, and its place."""
    return {
        it.text or "": (float(it.attrib["x"]), float(it.attrib["y"]))
        for it in picture.iter(f"{SVG}text")
    }


def test_a_picture_has_a_line_for_each_run_and_a_name_for_each_curve() -> None:
    """Time goes to the right and delay up; a line is in the order of time."""
    ours = Curve("we & they", [[(1.0, 500.0), (-9.0, 100.0), (29.0, 100.0)], [(0.0, 110.0)]])
    others = Curve("others", [[(0.0, 1900.0), (29.0, 1400.0)]])
    picture = read(draw([ours, others, Curve("none", [[]])], (0.0, 1.0)))
    first, second, third = lines(picture)

    assert [x for x, _ in first] == sorted(x for x, _ in first)
    assert first[0][1] == first[2][1] > first[1][1]
    assert second[0][1] < first[0][1]
    assert third[0][1] < third[1][1] < first[1][1]
    assert {"we & they", "others", "0", "2000", "-10", "30"} <= labels(picture).keys()
    assert "none" not in labels(picture)
    stops = [it for it in picture.iter(f"{SVG}line") if it.attrib["class"] == "stop"]
    assert [float(it.attrib["x1"]) for it in stops] == [
        pytest.approx(second[0][0], abs=0.1),
        pytest.approx(first[1][0], abs=0.1),
    ]


def test_no_name_covers_another() -> None:
    """Also where the curves end at the same place."""
    curves = [Curve(name, [[(0.0, 200.0), (10.0, 200.0)]]) for name in ("one", "two", "three")]
    places = labels(read(draw(curves, ())))
    heights = sorted(places[name][1] for name in ("one", "two", "three"))

    assert heights[1] - heights[0] >= 15
    assert heights[2] - heights[1] >= 15


def test_a_picture_without_curves_is_one() -> None:
    """Where every click was lost."""
    picture = read(draw([Curve("ours", [[]])], (0.0,)))

    assert lines(picture) == []
