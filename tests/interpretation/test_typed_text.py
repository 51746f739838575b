"""What people type: which of it is translated, and who reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.typed_text import TypedText, is_command, read_typed, readers_of
from palabra_agent.languages import LanguageCode, same_language
from palabra_agent.session import LONGEST_SPOKEN_TEXT
from palabra_agent.texts import one_line
from tests.fakes import translated

pytestmark = pytest.mark.unit

EN, ES = LanguageCode("en"), LanguageCode("es")
OFFERED = tuple(map(LanguageCode, ("en", "en-us", "es", "pt-br", "zh-hans")))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("hello", "hello"),
        ("  two\n lines\u202e ", "two lines"),
        ("Да", "Да"),
        ("你好", "你好"),
        ("नमस्ते", "नमस्ते"),
        ("half \ud800", "half ?"),
        ("", None),
        (" \n", None),
        ("12:30 !?", None),
        ("👍🏽", None),
        ("\u200b\u3164", None),
    ],
)
def test_a_message_of_words_is_translated(message: str, words: str | None) -> None:
    """As one line without what is not seen; numbers and emoji say the same to all."""
    assert read_typed(message) == (None if words is None else TypedText(words, is_cut=False))


@given(st.text(min_size=1, max_size=30), st.integers(min_value=1, max_value=300))
def test_palabra_is_given_no_more_than_it_takes(piece: str, times: int) -> None:
    """Of a longer message the beginning, and that is known."""
    message = f"x{piece * times}"
    text = read_typed(message)

    assert text is not None
    assert len(text.words) <= LONGEST_SPOKEN_TEXT
    assert text.is_cut == (len(one_line(message)) > LONGEST_SPOKEN_TEXT)


@pytest.mark.parametrize(
    ("message", "is_one"),
    [("/lang es", True), ("  /HELP", True), ("/shrug", True), ("and/or", False), ("es", False)],
)
def test_what_begins_with_a_slash_is_a_command(message: str, is_one: bool) -> None:
    """Ours, and those of other programs."""
    assert is_command(message) is is_one


@given(
    st.lists(st.none() | st.sampled_from([*OFFERED, "original", "xx"]), max_size=6),
    st.sampled_from(OFFERED),
    st.sampled_from([LanguageCode(code) for code in ("en", "es", "pt", "zh")]),
)
def test_a_translation_is_read_by_those_who_listen_to_its_language(
    wishes: list[str | None], language: LanguageCode, written: LanguageCode
) -> None:
    """And neither by its author nor by those who read the language that it was written in."""
    view = MeetingView(
        tuple(Person(f"p{number}", "", listen=wish) for number, wish in enumerate(wishes))
    )
    readers = readers_of(translated("hola", language), "p0", written, view, Regime(OFFERED))

    expected = [
        f"p{number}"
        for number, wish in enumerate(wishes)
        if number > 0 and wish == language and not same_language(language, written)
    ]
    assert list(readers) == expected
