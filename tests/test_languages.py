"""Language codes: spelling, likeness, what a person means."""

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
    find_source,
    find_target,
    match,
    nearest,
    normalise,
    same_language,
    spell_target,
)

pytestmark = pytest.mark.unit

codes = st.sampled_from(sorted(TARGET_LANGUAGES))
written = st.text() | st.from_regex(r"[a-zA-Z]{2,3}([-_#@.]{1,2}[a-zA-Z0-9]{1,8}){0,5}")
"""Anything, and what looks like a code."""


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
        ("iw", "he-IL", True),
        ("no", "nb-NO", True),
        ("tl", "fil", True),
        ("zh-yue", "zh", False),
        ("klingon", "klingon-at", True),
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
def test_codes_of_palabra_are_told_apart(wanted: str, offered: str, expected: str | None) -> None:
    """The exact code wins, else the only one of the language; what could be two is none."""
    assert match(wanted, [LanguageCode(code) for code in offered.split()]) == expected


@given(written, st.lists(codes))
def test_only_what_is_offered_is_ever_meant(wanted: str, offered: list[LanguageCode]) -> None:
    """A match is one of the offered codes, of the language that was asked for."""
    found = match(wanted, offered)

    assert found is None or (found in offered and same_language(found, wanted))


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        # as for codes of Palabra
        ("es", "de es", "es"),
        ("es-MX", "de es-mx es", "es-mx"),
        ("es-ar", "es-mx de", "es-mx"),
        ("fr", "es de", None),
        ("", "es de", None),
        ("es", "", None),
        # old codes, and other names of a language
        ("iw", "he", "he"),
        ("in", "id ms", "id"),
        ("tl", "fil", "fil"),
        ("fil-PH", "tl", "tl"),
        ("cmn", "zh", "zh"),
        ("mo", "ro", "ro"),
        ("sh", "hr sr", "sr"),
        ("nb-NO", "no", "no"),
        ("nn-NO", "no", "no"),
        ("no", "no", "no"),
        ("swh", "sw", "sw"),
        ("prs", "fa", "fa"),
        ("ger", "de", "de"),
        ("eng-USA", "en-gb en-us", "en-us"),
        # scripts, which regions imply
        ("zh", "zh-hant zh-hans", "zh-hans"),
        ("zh-CN", "zh-hant zh-hans", "zh-hans"),
        ("zh-SG", "zh-hant zh-hans", "zh-hans"),
        ("zh-TW", "zh-hans zh-hant", "zh-hant"),
        ("zh-HK", "zh-hans zh-hant", "zh-hant"),
        ("zh-MO", "zh-hans zh-hant", "zh-hant"),
        ("cmn-Hant-TW", "zh-hans zh-hant", "zh-hant"),
        ("zh-Hant", "zh-hans", "zh-hans"),
        ("sr-Latn", "sr", "sr"),
        ("sr-Cyrl-RS", "sr", "sr"),
        ("sr-Latn-ME", "hr sr", "sr"),
        # regions
        ("pt-PT", "pt-br pt", "pt"),
        ("pt-BR", "pt pt-br", "pt-br"),
        ("pt-AO", "pt-br pt", "pt"),
        ("pt", "pt-br", "pt-br"),
        ("pt-PT", "pt pt-eu", "pt-eu"),
        ("es-419", "es es-mx", "es-mx"),
        ("es-419", "es-mx es-la", "es-la"),
        ("es-AR", "es es-mx", "es-mx"),
        ("es-CL", "es-mx es-ch", "es-ch"),
        ("es-ES", "es-mx es", "es"),
        ("es-US", "es es-mx", "es-mx"),
        ("en-AU", "en-us en-gb", "en-gb"),
        ("en-NZ", "en-us en-gb", "en-gb"),
        ("en-CA", "en-gb en-us", "en-us"),
        ("en", "en-gb en-us", "en-us"),
        ("en", "en-ca en-us", "en-us"),
        ("en-PH", "en-ca en-us", "en-us"),
        ("es-US", "es-ar es-mx es-la", "es-la"),
        ("es-PE", "es es-ar", "es-ar"),
        ("pt-BR", "pt-la pt-br pt", "pt-br"),
        ("pt", "pt-la pt-br", "pt-br"),
        ("fr-BE", "fr-ca fr", "fr"),
        ("de-AT", "es de", "de"),
        # what speech does not know
        ("ar-u-nu-latn", "ar", "ar"),
        ("ar-AE-u-nu-latn", "ar-sa ar-ae", "ar-ae"),
        ("en-GB-oxendict", "en-us en-gb", "en-gb"),
        ("de-DE-1996-x-mine", "de", "de"),
        ("de_AT.UTF-8@euro", "de", "de"),
        ("sr_RS@latin", "sr", "sr"),
        ("zh_TW.Big5", "zh-hans zh-hant", "zh-hant"),
        ("en_US_POSIX", "en-gb en-us", "en-us"),
        ("zh_TW_#Hant", "zh-hans zh-hant", "zh-hant"),
        ("sr__#Latn", "sr", "sr"),
        # another language is meant only where Palabra does not know the one that is asked for
        ("gsw-CH", "de", "de"),
        ("ary-MA", "ar", "ar"),
        ("cnr", "sr", "sr"),
        ("yue", "zh zh-hans zh-hant", None),
        ("zh-yue", "zh", None),
        ("yue-HK", "zh-hant", None),
        ("da", "no", None),
        ("id", "ms", None),
        ("uk", "ru", None),
        ("hr", "sr", None),
        ("tw", "zh-hant", None),
        # no codes
        ("english", "en", None),
        ("en,de;q=0.8", "en", None),
        ("C.UTF-8", "en", None),
        ("und", "en", None),
        ("mul", "en", None),
        ("x-en", "en", None),
        ("en" + "-aaaaaaaa" * 20, "en", None),
    ],
)
def test_people_get_the_nearest_language(wanted: str, offered: str, expected: str | None) -> None:
    """Codes are read as browsers, phones and shells write them; the region counts last."""
    assert nearest(wanted, [LanguageCode(code) for code in offered.split()]) == expected


@given(written, st.lists(codes))
def test_any_text_may_stand_where_a_code_belongs(wanted: str, offered: list[LanguageCode]) -> None:
    """Whatever is written, the answer is one of the offered codes, or none."""
    found = nearest(wanted, offered)

    assert found is None or found in offered
    assert find_source(wanted) in SOURCE_LANGUAGES | {None}
    assert find_target(wanted) in TARGET_LANGUAGES | {None}


@given(codes, st.lists(codes))
def test_an_offered_code_means_itself(wanted: LanguageCode, others: list[LanguageCode]) -> None:
    """However many neighbours there are, and in any case of writing."""
    assert nearest(wanted, [*others, wanted]) == wanted
    assert nearest(f" {wanted.upper().replace('-', '_')} ", [*others, wanted]) == wanted


@given(written)
def test_what_was_found_is_found_again(wanted: str) -> None:
    """A code that was read once is read as itself from then on."""
    source, target, key = find_source(wanted), find_target(wanted), spell_target(wanted)

    assert source is None or find_source(source) == source
    assert target is None or find_target(target) == target
    assert spell_target(key) == key


@pytest.mark.parametrize(
    ("wanted", "source", "target"),
    [
        ("en-US", "en", "en-us"),
        ("en_NZ", "en", "en-gb"),
        ("nb-NO", "no", "no"),
        ("iw", "he", "he"),
        ("in-ID", "id", "id"),
        ("tl", "tl", "tl"),
        ("cmn", "zh", "zh"),
        ("zh-TW", "zh", "zh-hant"),
        ("zh-CN", "zh", "zh"),
        ("pt-PT", "pt", "pt"),
        ("pt-eu", "pt", "pt-eu"),
        ("es-419", "es", "es-la"),
        ("es-US", "es", "es-la"),
        ("es-VE", "es", "es-la"),
        ("es-GQ", "es", "es"),
        ("de-AT", "de", "de"),
        ("yue-HK", "yue", None),
        ("mt", "mt", None),
        ("auto", None, None),
        ("original", None, None),
        ("vn", None, None),
        ("se", None, None),
    ],
)
def test_palabra_s_own_codes_are_found(wanted: str, source: str | None, target: str | None) -> None:
    """Sources have no region; what only Palabra's validator accepts is never guessed."""
    assert (find_source(wanted), find_target(wanted)) == (source, target)


@pytest.mark.parametrize(
    ("written", "key"),
    [("ES_mx", "es-mx"), ("nb", "no"), ("default", "default"), ("Global", "global"), ("", "")],
)
def test_keys_of_one_language_are_one_key(written: str, key: str) -> None:
    """A key that names no target is only spelt alike."""
    assert spell_target(written) == key


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
