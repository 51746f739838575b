"""Values out of a JSON of unknown origin."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.palabra.json_values import as_number, as_object, as_text, as_word, parsed

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "is_object", "text", "number", "word"),
    [
        ({"a": 1}, True, None, None, ""),
        ([], False, None, None, ""),
        ("5", False, "5", None, "5"),
        ("a\ud83d", False, "a?", None, "a?"),
        (5, False, None, 5, "5"),
        (0.5, False, None, 0.5, "0.5"),
        (True, False, None, None, ""),
        (10**400, False, None, None, ""),
        (float("nan"), False, None, None, ""),
        (float("inf"), False, None, None, ""),
        (None, False, None, None, ""),
    ],
)
def test_a_value_is_taken_as_it_should_be_or_as_nothing(
    value: object, is_object: bool, text: str | None, number: float | None, word: str
) -> None:
    """An object, a text, a number, or a word, which is a text or a number in its place."""
    assert as_object(value) == (value if is_object else None)
    assert as_text(value) == text
    assert as_number(value) == number
    assert as_word(value) == word


@pytest.mark.parametrize("text", ["", "{", "[1, 2", b"\xff", "[" * 100_000, "null"])
def test_what_is_no_json_is_nothing(text: str | bytes) -> None:
    """Cut off, in no encoding, nested too deeply, or null."""
    assert parsed(text) is None


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_json_is_read_as_it_was_written(value: object) -> None:
    """As text and as bytes."""
    assert parsed(json.dumps(value)) == parsed(json.dumps(value).encode()) == value
