"""Captions and chat lines, from transcripts."""

from __future__ import annotations

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.plan import Regime
from palabra_agent.interpretation.ports import Caption, ChatLine, FloorView, Person
from palabra_agent.interpretation.scribe import Scribe
from palabra_agent.interpretation.terms import Terms, WritingRules
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from tests.fakes import FakeFloor, FakeSound, transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
BRIEF = Brief(EN, (ES, DE))
VIEW = FloorView(
    (
        Person("ann", "Ann Lee", listen="es", microphone=FakeSound("TR_mic")),
        Person("bob", "Bob", listen="es"),
        Person("cid", "Cid"),
    )
)


def scribe(floor: FakeFloor, rules: WritingRules | None = None) -> Scribe:
    """Make a scribe for Ann."""
    rules = rules or WritingRules()
    return Scribe(
        "ann", floor, Watched(Terms(Regime((EN, ES, DE)), rules)), lambda code: f"TR_{code}"
    )


def test_an_utterance_is_written_in_each_version() -> None:
    """Captions and chat lines carry the words, the track and exactly the right people."""
    floor = FakeFloor()
    writer = scribe(floor)
    for it in [transcript("hello"), translated("hola", "es"), translated("hallo", "de")]:
        writer.write(it, VIEW, BRIEF)

    assert floor.delivered == [
        Caption("ann", "t1-original", EN, "hello", True, False, "TR_mic", ("ann", "cid")),
        ChatLine("ann", "Ann Lee", "t1", EN, "hello", False, ("ann", "cid")),
        Caption("ann", "t1-es", ES, "hola", True, True, "TR_es", ("bob",)),
        ChatLine("ann", "Ann Lee", "t1", ES, "hola", True, ("bob",)),
    ]


@pytest.mark.parametrize(
    ("rules", "captions", "lines"),
    [
        (WritingRules(), 2, 1),
        (WritingRules(partials=False), 1, 1),
        (WritingRules(captions=False), 0, 1),
        (WritingRules(chat=False), 2, 0),
        (WritingRules(captions=False, chat=False), 0, 0),
    ],
)
def test_only_what_is_wanted_is_written(rules: WritingRules, captions: int, lines: int) -> None:
    """Captions, their partials and chat can each be left out; a partial is never in the chat."""
    floor = FakeFloor()
    writer = scribe(floor, rules)
    writer.write(transcript("hel", is_final=False), VIEW, BRIEF)
    writer.write(transcript("hello"), VIEW, BRIEF)

    assert (len(floor.captions), len(floor.chat)) == (captions, lines)


@pytest.mark.parametrize(
    ("part", "language", "is_translation", "expected"),
    [
        ("", "en", False, "t1-original"),
        ("0", "en", False, "t1-original"),
        ("1", "en", False, "t1.1-original"),
        ("", "es", True, "t1-es"),
        ("0", "es", True, "t1-es"),
        ("2", "es", True, "t1.2-es"),
    ],
)
def test_segments_are_named(part: str, language: str, is_translation: bool, expected: str) -> None:
    """An id is unique per utterance, part and language; the first part replaces the partials."""
    floor = FakeFloor()
    said = transcript(part=part, language=language, is_translation=is_translation)
    scribe(floor).write(said, VIEW, BRIEF)

    assert [caption.segment_id for caption in floor.captions] == [expected]


def test_words_for_nobody_are_not_written() -> None:
    """Neither a caption nor a chat line goes out without somebody to read it."""
    floor = FakeFloor()
    scribe(floor).write(translated("hallo", "de"), VIEW, BRIEF)
    scribe(floor).write(transcript("hello"), FloorView(), BRIEF)

    assert floor.delivered == []


def test_a_speaker_who_is_missed_is_still_quoted() -> None:
    """Last words of somebody who just left come without a track, under their identity."""
    floor = FakeFloor()
    scribe(floor).write(transcript("bye"), FloorView((Person("cid", "Cid"),)), BRIEF)

    assert [caption.track_sid for caption in floor.captions] == [""]
    assert [line.speaker_name for line in floor.chat] == ["ann"]
