"""Spans of sentences that were followed from mouth to ear."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bench.sounds import Sound
from bench.spans import Interpreted, Noted, interpreted, offset, slope

pytestmark = pytest.mark.unit

UP, DOWN = 0.12, 0.15
PERIOD, LENGTH = 4.0, 3.0


def later(sound: Sound, seconds: float) -> Sound:
    """The same sound, heard later."""
    return Sound(sound.began + seconds, sound.ended + seconds)


def talk(
    lags: list[float],
) -> tuple[list[Sound], list[Sound], list[Sound], list[Sound], dict[str, Noted]]:
    """Sentences whose answers come so late, as heard at all four places, and notes of them."""
    said = [Sound(PERIOD * n, PERIOD * n + LENGTH) for n in range(len(lags))]
    reached = [later(it, UP) for it in said]
    answered = [later(it, lag) for it, lag in zip(reached, lags, strict=True)]
    heard = [later(it, DOWN) for it in answered]
    notes = {
        f"id-{number}": Noted(there.ended + 0.4, answer.ended - 0.3)
        for number, (there, answer) in enumerate(zip(reached, answered, strict=True))
    }
    return said, reached, answered, heard, notes


def test_spans_are_measured_from_mouth_to_ear() -> None:
    """Also where an answer comes after the next sentences; Palabra's own time is told apart."""
    lags = [1.0, 6.0, 11.0]
    sentences = interpreted(*talk(lags))

    assert [it.said.began for it in sentences] == [0, 4, 8]
    assert [it.end_span for it in sentences] == pytest.approx([lag + UP + DOWN for lag in lags])
    assert [it.start_span for it in sentences] == pytest.approx([lag + UP + DOWN for lag in lags])
    assert [it.palabra for it in sentences] == pytest.approx(lags)
    assert [it.ours for it in sentences] == pytest.approx([UP + DOWN] * 3)


def test_a_sentence_that_is_lost_costs_no_other_one() -> None:
    """Whether Palabra dropped it, or the listener did not hear it."""
    said, reached, answered, heard, notes = talk([1.0, 1.0, 1.0, 1.0])
    del notes["id-1"], answered[1], heard[1], heard[1]
    sentences = interpreted(said, reached, answered, heard, notes)

    assert [it.said.began for it in sentences] == [0, 12]
    assert [it.end_span for it in sentences] == pytest.approx([1.0 + UP + DOWN] * 2)


def test_the_offset_is_that_of_the_last_sentences_by_then() -> None:
    """The median of one round of them."""
    sentences = interpreted(*talk([1.0, 1.0, 5.0, 2.0, 3.0, 9.0]))
    base = UP + DOWN

    assert offset(sentences, until=19.5, count=3) == pytest.approx(3.0 + base)
    assert offset(sentences, until=math.inf, count=3) == pytest.approx(3.0 + base)
    assert offset(sentences, until=7.5, count=3) == pytest.approx(1.0 + base)
    assert math.isnan(offset(sentences, until=1.0, count=3))


def test_the_slope_is_the_growth_in_a_minute() -> None:
    """Half a second in each sentence of four seconds."""
    sentences = interpreted(*talk([1.0 + 0.5 * number for number in range(8)]))
    spans = [it.end_span for it in sentences]

    assert slope(sentences, spans) == pytest.approx(7.5)
    assert slope(sentences, [3.0] * 8) == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(slope(sentences[:1], spans[:1]))


def test_a_hurried_answer_ends_earlier_than_it_begins() -> None:
    """The spans at the start and at the end are not the same where the tempo is another."""
    sentence = interpreted(*talk([1.0]))[0]
    ended = sentence.heard.ended - 0.7
    hurried: Interpreted = replace(sentence, heard=Sound(sentence.heard.began, ended))

    assert hurried.end_span == pytest.approx(sentence.start_span - 0.7)
