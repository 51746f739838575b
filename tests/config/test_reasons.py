"""What pydantic's errors mean, also those that no model of ours can cause."""

from __future__ import annotations

from typing import Any

import pytest

from palabra_agent.config.reasons import allowed_by, reason_for

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("kind", "context", "message", "reason"),
    [
        ("date_past", {}, "Date should be in the past", 'must be in the past, not "x"'),
        ("string_not_ascii", {}, "String should contain only ASCII characters", None),
        ("deque_type", {}, "Input should be a valid deque", 'must be a valid deque, not "x"'),
        (
            "too_short",
            {"min_length": 2, "actual_length": 1},
            "",
            "must have at least 2 entries, not 1",
        ),
        ("too_long", {"max_length": 1, "actual_length": None}, "", "must have at most 1 entry"),
        ("union_tag_invalid", {"discriminator": "'k'", "expected_tags": "1, 2"}, "", None),
        ("value_error", {}, "Value error, must be even", 'must be even, not "x"'),
        ("value_error", {}, "Value error, x is odd", "x is odd"),
        ("value_error", {}, "Value error, no extras", 'cannot be "x": no extras'),
        ("value_error", {}, "Value error, it is odd.", 'cannot be "x": it is odd'),
        ("assertion_error", {}, "Assertion failed, ", 'cannot be "x"'),
        ("acme", {}, "never on\tSunday\n", 'cannot be "x": never on Sunday'),
        ("acme", {}, "\x1b[31mred", 'cannot be "x": [31mred'),
        ("acme", {}, "o" * 999, f'cannot be "x": {"o" * 300}…'),
        # errors of an author's own, under names of pydantic's
        ("too_short", {}, "all too short", 'cannot be "x": all too short'),
        ("greater_than", {}, "not enough", 'cannot be "x": not enough'),
        ("enum", {}, "none of them", 'cannot be "x": none of them'),
        ("literal_error", {"expected": "1 or 2"}, "", 'must be 1 or 2, not "x"'),
    ],
)
def test_every_kind_of_error_has_words(
    kind: str, context: dict[str, Any], message: str, reason: str | None
) -> None:
    """One line without markup, whatever it is; never an exception."""
    found = reason_for(kind, context, '"x"', message)

    assert found.isprintable()
    assert "should" not in found
    if reason is not None:
        assert found == reason


def test_what_is_allowed_may_stand_alone() -> None:
    """For sentences that join several; what has no such words has none."""
    assert allowed_by("int_type", {}) == "a whole number"
    assert allowed_by("less_than", {"lt": 3}) == "less than 3"
    assert allowed_by("value_error", {}) is None
    assert allowed_by("less_than", {}) is None
