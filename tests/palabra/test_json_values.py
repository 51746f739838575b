"""Values out of a JSON of unknown origin."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.palabra.json_values import (
    alone,
    as_flag,
    as_number,
    as_object,
    as_text,
    as_word,
    opened,
    parsed,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "is_object", "text", "number", "word"),
    [
        ({"a": 1}, True, None, None, ""),
        ([], False, None, None, ""),
        ("5", False, "5", 5, "5"),
        (" -0.5e1 ", False, " -0.5e1 ", -5, " -0.5e1 "),
        ("5 s", False, "5 s", None, "5 s"),
        ("nan", False, "nan", None, "nan"),
        ("9" * 16, False, "9" * 16, None, "9" * 16),
        ([["t1"]], False, "t1", None, "t1"),
        ([5], False, None, 5, "5"),
        ([1, 2], False, None, None, ""),
        ("a\ud83d", False, "a?", None, "a?"),
        (5, False, None, 5, "5"),
        (5.0, False, None, 5, "5"),
        (1902838550034041234567, False, None, None, "1902838550034041234567"),
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


@pytest.mark.parametrize("value", [True, "true", "TRUE", " True ", 1, 2.5, "1", [True], ["true"]])
def test_a_truth_is_one_in_any_writing(value: object) -> None:
    """As a number or a text, too."""
    assert as_flag(value)


@pytest.mark.parametrize("value", [False, None, "", "false", "no", 0, "0", {}, [], [False, True]])
def test_all_else_is_no_truth(value: object) -> None:
    """A container is none, whatever is in it."""
    assert not as_flag(value)


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ([{"a": 1}], {"a": 1}),
        ('["{\\"a\\": 1}"]', {"a": 1}),
        ([1, 2], [1, 2]),
        ("[1, 2]", [1, 2]),
        ("words", "words"),
        ('"words"', "words"),
        ("5", "5"),
        (5, 5),
        (None, None),
    ],
)
def test_an_object_is_found_in_its_wrapping(value: object, inside: object) -> None:
    """A JSON text and a list of one are taken off; a text that is a number stays one."""
    assert opened(value) == inside


@pytest.mark.parametrize(("value", "inside"), [([[5]], 5), ([], []), ([1, 2], [1, 2]), ("x", "x")])
def test_the_only_entry_of_a_list_stands_for_itself(value: object, inside: object) -> None:
    """However deep."""
    assert alone(value) == inside


@pytest.mark.parametrize("text", ["", "{", "[1, 2", b"\xff", "[" * 100_000, "null"])
def test_what_is_no_json_is_nothing(text: str | bytes) -> None:
    """Cut off, in no encoding, nested too deeply, or null."""
    assert parsed(text) is None


@given(st.recursive(st.none() | st.text() | st.integers(), st.lists))
def test_json_is_read_as_it_was_written(value: object) -> None:
    """As text and as bytes."""
    assert parsed(json.dumps(value)) == parsed(json.dumps(value).encode()) == value
