"""Texts as they are spoken, and where long ones are split."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_emulator.interpreting.spoken_text import (
    SplitRules,
    beginning,
    share_of,
    split_places,
    spoken_seconds,
)

pytestmark = pytest.mark.unit

_TWO_SENTENCES: Final = (
    "We have looked at every single number of the last year, and most of them are good. "
    "Then we went on."
)
_ONE_SENTENCE: Final = " ".join(["seven"] * 30)


def parts(text: str, rules: SplitRules | None = None) -> list[str]:
    """What a text is split into."""
    places = [it.position for it in split_places(text, rules or SplitRules())]
    return [text[begin:end] for begin, end in pairwise([0, *places, len(text)])]


def test_speaking_takes_its_time() -> None:
    """Two and a half words a second, six signs where there are no spaces."""
    assert spoken_seconds("one two three four five") == 2.0
    assert spoken_seconds("今日はいい天気ですね。") == pytest.approx(11 / 6)
    assert beginning("one two three four five", 1.2) == "one two three"
    assert beginning("one two", 0.0) == "one"


def test_a_long_text_is_split_between_its_sentences() -> None:
    """From 80 characters and 4 seconds on, by default."""
    first, second = parts(_TWO_SENTENCES)

    assert first.endswith("most of them are good.")
    assert second.strip() == "Then we went on."


def test_a_sentence_without_end_is_split_at_a_word() -> None:
    """From 100 characters and 6 seconds on, by default."""
    assert [len(part.split()) for part in parts(_ONE_SENTENCE)] == [17, 13]


@pytest.mark.parametrize(
    ("text", "rules", "count"),
    [
        (_TWO_SENTENCES, SplitRules(is_enabled=False), 1),
        (_TWO_SENTENCES, SplitRules(sentence_characters=90), 1),
        (_TWO_SENTENCES, SplitRules(sentence_seconds=9), 1),
        (_ONE_SENTENCE, SplitRules(forced_characters=200), 1),
        (_ONE_SENTENCE, SplitRules(forced_seconds=13), 1),
        (_ONE_SENTENCE, SplitRules(forced_characters=0, forced_seconds=2), 6),
        ("Good morning. Shall we begin?", SplitRules(), 1),
        ("", SplitRules(), 1),
    ],
)
def test_the_rules_decide(text: str, rules: SplitRules, count: int) -> None:
    """Both of a rule's lengths must be reached, and nothing is split where that is not wanted."""
    assert len(parts(text, rules)) == count


def test_a_translation_is_cut_between_its_sentences_where_one_ends_nearby() -> None:
    """Else between two words; what is cut is whole again when it is put together."""
    spanish = "Hemos mirado todos los números del año pasado y son buenos. Luego seguimos."
    cut = len(parts(_TWO_SENTENCES)[0]) / len(_TWO_SENTENCES)

    assert share_of(spanish, 0, cut) == spanish.split(" Luego")[0]
    assert share_of(spanish, cut, 1) == "Luego seguimos."
    assert share_of("Uno dos tres cuatro.", 0, 0.5) == "Uno dos tres"
    assert share_of("Sí. Uno dos tres cuatro cinco seis.", 0, 1) == (
        "Sí. Uno dos tres cuatro cinco seis."
    )


@given(
    text=st.lists(st.sampled_from(["a", "bcd", "efghij.", "今", "k?"]), max_size=40).map(" ".join),
    shares=st.lists(st.floats(0, 1), max_size=6).map(sorted),
)
def test_shares_of_a_text_leave_nothing_out(text: str, shares: list[float]) -> None:
    """Whatever the shares, each sign is in one part, in order."""
    ends = [0.0, *shares, 1.0]
    cut = [share_of(text, begin, end) for begin, end in pairwise(ends)]

    assert "".join(cut).replace(" ", "") == text.replace(" ", "")
