"""A detected language: two finished utterances in a row that agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.detection import LanguageDetection
from palabra_agent.session import Transcript
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit


def final(utterance: str, language: str) -> Transcript:
    """Make the words of a finished utterance."""
    return transcript("x", language=language, identifier=utterance)


def partial(utterance: str, language: str) -> Transcript:
    """Make words of an utterance that goes on."""
    return transcript("x", language=language, identifier=utterance, is_final=False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([final("1", "es")], [None]),
        ([final("1", "es"), final("2", "es")], [None, "es"]),
        ([final("1", "es-mx"), final("2", "es")], [None, "es"]),
        ([final("1", "es"), final("1", "es")], [None, None]),
        ([final("1", "es"), final("2", "en"), final("3", "es")], [None, None, None]),
        ([final("1", "es"), final("2", "en"), final("3", "en")], [None, None, "en"]),
        ([final("1", "es"), partial("2", "en"), final("2", "es")], [None, None, "es"]),
        ([partial("1", "es"), partial("2", "es"), final("2", "es")], [None, None, None]),
        ([final("1", "es"), translated("x", "es", identifier="2")], [None, None]),
        ([final("1", "es"), final("2", ""), final("3", "es")], [None, None, "es"]),
        ([final("1", ""), final("2", "")], [None, None]),
        ([final("1", "es"), final("2", "auto"), final("3", "es")], [None, None, "es"]),
        ([final("1", "auto"), final("2", "auto")], [None, None]),
        ([final("1", "iw"), final("2", "he-il")], [None, "he"]),
        ([final("1", "cmn"), final("2", "zh-hant")], [None, "zh"]),
        ([final("1", "tt"), final("2", "tt-ru")], [None, "tt"]),
    ],
)
def test_two_utterances_in_a_row_decide(said: list[Transcript], expected: list[str | None]) -> None:
    """Neither partial words, translations, nor what is told again; the region does not matter."""
    detection = LanguageDetection()

    assert [detection.hear(each) for each in said] == expected


@given(
    st.lists(st.tuples(st.sampled_from("123456"), st.sampled_from(["", "es", "en"]), st.booleans()))
)
def test_a_single_utterance_never_decides(said: list[tuple[str, str, bool]]) -> None:
    """A language is detected where another utterance before was in it, and none between."""
    detection = LanguageDetection()
    finals: list[tuple[str, str]] = []
    for utterance, language, is_final in said:
        make = final if is_final else partial
        heard = detection.hear(make(utterance, language))
        agrees = bool(finals) and finals[-1][0] != utterance and finals[-1][1] == language
        assert (heard is not None) == (is_final and language != "" and agrees)
        if is_final and language:
            finals.append((utterance, language))
