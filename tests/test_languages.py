"""Language codes: spelling, likeness, what somebody means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    base,
    did_you_mean,
    match,
    normalise,
    same_language,
)

pytestmark = pytest.mark.unit

codes = st.sampled_from(sorted(TARGET_LANGUAGES))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("es_MX", "es-mx"),
        (" Zh-Hans ", "zh-hans"),
        ("", ""),
    ],
)
def test_codes_are_spelt_as_palabra_does(written: str, code: str) -> None:
    """Case, underscores and spaces around a code do not matter."""
    assert normalise(written) == code


@given(st.text())
def test_spelling_twice_changes_nothing(text: str) -> None:
    """Whatever somebody writes, a normalised code stays as it is."""
    once = normalise(text)

    assert normalise(once) == once


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("en", "en-US", True),
        ("en-gb", "en_us", True),
        ("zh-hans", "zh-hant", True),
        ("es", "en", False),
        ("fi", "fil", False),
    ],
)
def test_regions_do_not_make_another_language(one: str, other: str, expected: bool) -> None:
    """Two codes name one language when they differ by region or script only."""
    assert same_language(one, other) is expected
    assert same_language(other, one) is expected


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        ("es", "es de", "es"),
        ("es-MX", "es de", "es"),
        ("es", "es-mx de", "es-mx"),
        ("es-ar", "es-mx de", "es-mx"),
        ("es", "es es-mx", "es"),
        ("es-mx", "es es-mx", "es-mx"),
        ("es-ar", "es es-mx", None),
        ("fr", "es de", None),
        ("", "es de", None),
        ("es", "", None),
    ],
)
def test_a_wish_is_matched_to_the_offer(wanted: str, offered: str, expected: str | None) -> None:
    """The exact code wins, else the only one of the language; an ambiguous wish means none."""
    assert match(wanted, [LanguageCode(code) for code in offered.split()]) == expected


@given(st.text(), st.lists(codes))
def test_only_what_is_offered_is_ever_meant(wanted: str, offered: list[LanguageCode]) -> None:
    """A match is one of the offered codes, of the language that was asked for."""
    found = match(wanted, offered)

    assert found is None or (found in offered and same_language(found, wanted))


def test_the_lists_are_normalised() -> None:
    """Every known code is in its own spelling, sources have no region, and `auto` is a source."""
    assert {
        code for code in SOURCE_LANGUAGES | TARGET_LANGUAGES if normalise(code) != code
    } == set()
    assert {code for code in SOURCE_LANGUAGES if base(code) != code} == set()
    assert AUTO in SOURCE_LANGUAGES
    assert AUTO not in TARGET_LANGUAGES


@pytest.mark.parametrize(
    ("wrong", "known", "expected"),
    [
        ("langauges", ["languages", "limits"], ', did you mean "languages"?'),
        ("xyz", ["languages", "limits"], ""),
        ("es", [], ""),
    ],
)
def test_near_words_are_suggested(wrong: str, known: list[str], expected: str) -> None:
    """A suggestion comes only where a known word is near."""
    assert did_you_mean(wrong, known) == expected
