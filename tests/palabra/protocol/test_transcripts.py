"""The order of transcripts."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.palabra.protocol.transcripts import TranscriptOrder
from palabra_agent.session import Transcript
from tests.fakes import transcript, translated

pytestmark = pytest.mark.unit

transcripts = st.lists(
    st.builds(
        transcript,
        text=st.sampled_from(["a", "a b", " "]),
        identifier=st.sampled_from(["t1", "t2"]),
        language=st.sampled_from(["en", "es"]),
        part=st.sampled_from(["", "0", "1"]),
        is_final=st.booleans(),
        is_translation=st.booleans(),
    ),
    max_size=40,
)


def news(words: list[Transcript]) -> list[Transcript]:
    """Pass on what is news."""
    order = TranscriptOrder()
    return [it for it in words if order.is_news(it)]


def version(it: Transcript) -> tuple[str, str]:
    """Name the version of the utterance that a transcript belongs to."""
    return it.transcription_id, it.language if it.is_translation else "original"


@given(transcripts)
def test_a_final_is_said_once(words: list[Transcript]) -> None:
    """Each part of each version becomes final once, whatever comes in whatever order."""
    finals = [(*version(it), it.part) for it in news(words) if it.is_final]

    assert len(finals) == len(set(finals))


@given(transcripts)
def test_nothing_follows_its_final(words: list[Transcript]) -> None:
    """After a final of the whole, or of its own part, a version says nothing of it any more."""
    over = set[tuple[str, str, str]]()
    for it in news(words):
        assert (*version(it), "") not in over
        assert (*version(it), it.part) not in over
        if it.is_final:
            over.add((*version(it), it.part))


@given(transcripts)
def test_each_final_arrives(words: list[Transcript]) -> None:
    """No final is lost: one of the same version, part or whole, was said."""
    said = {(*version(it), it.part) for it in news(words) if it.is_final}
    for it in words:
        if it.is_final and it.text.strip():
            assert {(*version(it), it.part), (*version(it), "")} & said


@given(transcripts)
def test_empty_and_repeated_words_are_no_news(words: list[Transcript]) -> None:
    """A transcript without words is never passed on, and a partial not twice in a row."""
    passed = news(words)
    latest = dict[tuple[str, str], str]()
    for it in passed:
        assert it.text.strip()
        if not it.is_final:
            assert latest.get(version(it)) != it.text
            latest[version(it)] = it.text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([transcript("a", is_final=False), transcript("a b", is_final=False)], [True, True]),
        ([transcript("a", is_final=False), transcript("a", is_final=False)], [True, False]),
        ([transcript("a", is_final=False), transcript("a")], [True, True]),
        ([transcript("a"), transcript("a")], [True, False]),
        ([transcript("a"), transcript("b")], [True, False]),
        ([transcript("a"), transcript("a b", is_final=False)], [True, False]),
        ([transcript("a"), transcript("a", language="de", is_final=False)], [True, False]),
        ([transcript("a"), translated("b", "es"), translated("c", "de")], [True, True, True]),
        ([transcript("a", part="0"), transcript("b", part="1")], [True, True]),
        ([transcript("a", part="0"), transcript("a b", is_final=False)], [True, False]),
        ([transcript("a"), transcript("a", identifier="t2")], [True, True]),
    ],
)
def test_what_is_news(words: list[Transcript], expected: list[bool]) -> None:
    """Partials grow, finals stand, versions and parts are apart."""
    order = TranscriptOrder()

    assert [order.is_news(it) for it in words] == expected


def test_memory_is_bounded() -> None:
    """A meeting of many hours remembers no more than the latest utterances."""
    order = TranscriptOrder()
    for number in range(2000):
        order.is_news(transcript(identifier=f"t{number}"))

    assert not order.is_news(transcript(identifier="t1999"))
    assert order.is_news(transcript(identifier="t0"))


@pytest.mark.parametrize(
    ("originals", "part", "expected"),
    [
        ([], "", ""),
        ([transcript("hel", is_final=False)], "", "hel"),
        ([transcript("hel", is_final=False), transcript("hello")], "", "hello"),
        ([transcript("hello")], "1", "hello"),
        ([transcript("one", part="0"), transcript("two", part="1")], "1", "two"),
        ([transcript("two", part="1"), transcript("one", part="0")], "", "one two"),
        ([transcript("other", identifier="t2")], "", ""),
    ],
)
def test_translations_come_with_what_they_translate(
    originals: list[Transcript], part: str, expected: str
) -> None:
    """The words of the same part, or of the whole, as far as they came."""
    order = TranscriptOrder()
    for it in originals:
        assert order.is_news(it)

    assert order.paired(translated("hola", "es", part=part)).original == expected


def test_an_original_has_no_other() -> None:
    """It is what it is."""
    order, said = TranscriptOrder(), transcript()
    order.is_news(said)

    assert order.paired(said) == said


def test_memory_is_finite_whatever_comes() -> None:
    """Long texts in ever new utterances and ever new parts: what is oldest is forgotten."""
    order = TranscriptOrder()
    tracemalloc.start()
    try:
        for number in range(4_000):
            text = f"{number} " + "x" * 4_990
            assert order.is_news(transcript(text, identifier=f"u{number}"))
            assert order.is_news(transcript(text, identifier="one", part=str(number)))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert held < 10_000_000


def test_the_parts_of_an_endless_utterance_are_remembered_for_long() -> None:
    """A repetition within two hundred parts is one, and a translation finds its words."""
    order = TranscriptOrder()
    for number in range(1_000):
        assert order.is_news(transcript(f"word {number}", part=str(number)))

    assert not order.is_news(transcript("word 800", part="800"))
    assert order.paired(translated("hola", "es", part="999")).original == "word 999"
