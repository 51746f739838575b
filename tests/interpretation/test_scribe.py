"""Captions and chat lines, from transcripts."""

from __future__ import annotations

import pytest

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.plan import Regime
from palabra_agent.interpretation.ports import Caption, ChatLine, MeetingView, Person
from palabra_agent.interpretation.scribe import Scribe
from palabra_agent.interpretation.terms import Terms, WritingRules
from palabra_agent.languages import LanguageCode
from palabra_agent.session import Brief
from tests.fakes import FakeMeeting, FakeSound, transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
BRIEF = Brief(EN, (ES, DE))
VIEW = MeetingView(
    (
        Person("ann", "Ann Lee", listen="es", microphone=FakeSound("TR_mic")),
        Person("bob", "Bob", listen="es"),
        Person("cid", "Cid"),
    )
)


def scribe(meeting: FakeMeeting, rules: WritingRules | None = None) -> Scribe:
    """Make a scribe for Ann."""
    rules = rules or WritingRules()
    return Scribe(
        "ann", meeting.texts, Watched(Terms(Regime((EN, ES, DE)), rules)), lambda code: f"TR_{code}"
    )


def test_an_utterance_is_written_in_each_version() -> None:
    """Captions and chat lines carry the words, the track and exactly the right people."""
    meeting = FakeMeeting()
    writer = scribe(meeting)
    hello, hola, hallo = transcript("hello"), translated("hola", "es"), translated("hallo", "de")
    for it in (hello, hola, hallo):
        writer.write(it, VIEW, BRIEF)

    assert meeting.texts.sent == [
        Caption(hello, "ann", ("ann", "cid"), "TR_mic"),
        ChatLine(hello, "ann", ("ann", "cid"), "Ann Lee"),
        Caption(hola, "ann", ("bob",), "TR_es"),
        ChatLine(hola, "ann", ("bob",), "Ann Lee"),
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
    meeting = FakeMeeting()
    writer = scribe(meeting, rules)
    writer.write(transcript("hel", is_final=False), VIEW, BRIEF)
    writer.write(transcript("hello"), VIEW, BRIEF)

    assert (len(meeting.captions), len(meeting.chat)) == (captions, lines)


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
    meeting = FakeMeeting()
    said = transcript(part=part, language=language, is_translation=is_translation)
    scribe(meeting).write(said, VIEW, BRIEF)

    assert [caption.segment_id for caption in meeting.captions] == [expected]


def test_words_for_nobody_are_not_written() -> None:
    """Neither a caption nor a chat line goes out without somebody to read it."""
    meeting = FakeMeeting()
    scribe(meeting).write(translated("hallo", "de"), VIEW, BRIEF)
    scribe(meeting).write(transcript("hello"), MeetingView(), BRIEF)

    assert meeting.texts.sent == []


def test_a_speaker_who_is_missed_is_still_quoted() -> None:
    """Last words of somebody who just left come without a track, under their identity."""
    meeting = FakeMeeting()
    scribe(meeting).write(transcript("bye"), MeetingView((Person("cid", "Cid"),)), BRIEF)

    assert [caption.track_sid for caption in meeting.captions] == [""]
    assert [line.speaker_name for line in meeting.chat] == ["ann"]
