"""Text of others beside ours: one bounded line, and nothing in it that is not seen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.texts import LONGEST_NAME, one_line, shown_name

pytestmark = pytest.mark.unit

ANYTHING = st.text(st.characters())
"""Halves of surrogate pairs too."""


@pytest.mark.parametrize(
    "newline", ["\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\t", "\u00a0"]
)
def test_a_name_cannot_begin_a_line_of_its_own(newline: str) -> None:
    """All that breaks a line, or moves on in it, is a space."""
    assert one_line(f"Bob{newline}Alice: I agree") == "Bob Alice: I agree"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b2Jgone", "gone"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1b]0;never ended", "a]0;never ended"),
        ("nul\x00 bell\x07 back\x08 del\x7f esc\x1b", "nul bell back del esc"),
        ("next\x84 index\x8d", "next index"),
    ],
)
def test_a_terminal_is_not_ruled(text: str, expected: str) -> None:
    """Escape sequences go as a whole, control characters alone."""
    assert one_line(text) == expected


@pytest.mark.parametrize(
    "mark",
    [
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
        *"\u200b\u2060\u2063\ufeff\u00ad\ufff9\ufffa\ufffb\U000e0001\U000e0041\u180e",
    ],
)
def test_what_is_not_seen_does_nothing(mark: str) -> None:
    """Marks of direction and of format leave no trace."""
    assert one_line(f"{mark}A{mark}nn{mark}") == "Ann"


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 ❤️ 1️⃣ 🇪🇸",
        "می‌خواهم",
        "শ্রীমান্‌",
        "ක්‍රි",
        "လျှို့ဝှက်",
        "שִׁמְעוֹן",
        "Zoë Škvorecký Nguyễn",
        "山田\u3042\u3099太郎",
        "葛\U000e0100城",
        "محمد \u06dd\u0661",
        "𝒜nn O’Neil-d’Arc (she) <3 & Co.",
    ],
)
def test_every_script_stays_as_it_is(text: str) -> None:
    """Joiners, combining marks and variants that letters and emoji need are left alone."""
    assert one_line(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Z" + "\u0336" * 200 + "oe", "Z" + "\u0336" * 6 + "oe"),
        ("Z" + "\u0336\u200d" * 200, "Z" + "\u0336\u200d" * 6),
        ("\u0301\u0301A", "A"),
        ("A \u0301", "A"),
        ("\u200d\u200dA\u200d\u200d\u200dB", "A\u200dB"),
    ],
)
def test_no_letter_bears_a_tower(text: str, expected: str) -> None:
    """Marks are few and have a letter to stand on, so they reach no word but their own."""
    assert one_line(text) == expected


@pytest.mark.parametrize(
    ("text", "longest", "expected"),
    [
        ("x" * 1000, 60, "x" * 59 + "…"),
        ("x" * 60, 60, "x" * 60),
        ("x" * 58 + " yz", 60, "x" * 58 + "…"),
        ("👩\u200d" * 100, 11, "👩\u200d" * 4 + "👩…"),
        ("\n" * 500 + "late", 60, "late"),
        ("x" * 1000, None, "x" * 1000),
    ],
)
def test_a_line_has_its_bound(text: str, longest: int | None, expected: str) -> None:
    """What was cut shows that it was, and does not end in a joint."""
    assert one_line(text, longest) == expected


def test_half_a_character_can_be_sent() -> None:
    """A lone surrogate could not be encoded."""
    assert one_line("half \ud800") == "half ?"


@pytest.mark.parametrize(
    ("name", "identity", "expected"),
    [
        ("Ann", "a1", "Ann"),
        ("", "a1", "a1"),
        (" \u200b\u3164\u2800\u00ad\n", "a1", "a1"),
        ("\U0001d159", "a1", "a1"),
        ("\u202e", "a\n1\u202e", "a 1"),
        ("\u200d", "\u2060", "?"),
        ("A" * 300, "a1", "A" * (LONGEST_NAME - 1) + "…"),
        ("", "a" * 300, "a" * (LONGEST_NAME - 1) + "…"),
    ],
)
def test_each_participant_has_a_name_that_shows(name: str, identity: str, expected: str) -> None:
    """A name of nothing that is seen gives way to the identity, which is treated alike."""
    assert shown_name(name, identity) == expected


@given(ANYTHING, st.none() | st.integers(1, 80))
def test_whatever_comes_is_one_line(text: str, longest: int | None) -> None:
    """No text has a line end, a control character or half a character left, or is too long."""
    line = one_line(text, longest)

    assert len(line.splitlines()) <= 1
    assert {unicodedata.category(it) for it in line}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert longest is None or len(line) <= longest
    assert line == line.strip()


@given(ANYTHING)
def test_a_clean_line_is_left_alone(text: str) -> None:
    """To be cleaned at two borders is to be cleaned at one."""
    assert one_line(one_line(text)) == one_line(text)
