"""Captions and chat lines from transcripts: what is written, and for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.caption_history import CaptionHistory
from palabra_agent.interpretation.ports import Caption, ChatLine, MeetingView, Person
from palabra_agent.interpretation.settings import (
    ChatAudience,
    InterpretationSettings,
    Regime,
    WritingRules,
)
from palabra_agent.interpretation.transcript_writer import (
    Audience,
    TranscriptWriter,
    chat_recipients,
)
from palabra_agent.interpretation.utterance_versions import CAPTIONS_ATTRIBUTE, version_for
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.session import Brief, Transcript
from tests.fakes import FakeMeeting, FakeSound, transcript, translated

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
REGIME = Regime((EN, ES, DE))
BRIEF = Brief(EN, (ES, DE))
VIEW = MeetingView(
    (
        Person("ann", "Ann Lee", listen="es", microphone=FakeSound("TR_mic")),
        Person("bob", "Bob", listen="es"),
        Person("cid", "Cid"),
    )
)

wishes = st.sampled_from([None, "original", "en", "es", "es-mx", "de", "fr"])
moments = st.lists(st.tuples(wishes, wishes, wishes), min_size=6, max_size=6)


def channel_sid(language: LanguageCode) -> str:
    """The track of a language's channel."""
    return f"TR_{language}"


def writer_of_ann(meeting: FakeMeeting, rules: WritingRules | None = None) -> TranscriptWriter:
    """Make a writer for Ann."""
    settings = InterpretationSettings(REGIME, rules or WritingRules())
    return TranscriptWriter("ann", meeting.texts, Watched(settings), channel_sid, CaptionHistory())


def test_an_utterance_is_written_in_each_version() -> None:
    """Captions and chat lines carry the words, the track and exactly the right people."""
    meeting = FakeMeeting()
    writer = writer_of_ann(meeting)
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
    writer = writer_of_ann(meeting, rules)
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
    """One per speaker, utterance, part and language; the first part replaces the partials."""
    meeting = FakeMeeting()
    said = transcript(part=part, language=language, is_translation=is_translation)
    writer_of_ann(meeting).write(said, VIEW, BRIEF)

    (caption,) = meeting.captions
    speaker, _, utterance = caption.segment_id.partition("-")
    assert utterance == expected
    assert speaker != replace(caption, speaker="bob").segment_id.partition("-")[0]


OBSERVED = replace(
    VIEW,
    observers=(
        Person("EG_1", "EG_1"),
        Person("agent-7", "Helper", listen="es"),
        Person("auditor", "auditor"),
    ),
)


@pytest.mark.parametrize(
    ("also_to", "original", "spanish"),
    [
        ((), [], []),
        (("EG_*",), ["EG_1"], []),
        (("EG_*", "agent-?"), ["EG_1"], ["agent-7"]),
        (("*",), ["EG_1", "auditor"], ["agent-7"]),
        (("auditor", "inspector"), ["auditor", "inspector"], []),
        (("bob", "cid", "ann", "b*"), [], []),
        (("nobody-*",), [], []),
    ],
)
def test_observers_read_captions_where_the_room_says_so(
    also_to: tuple[str, ...], original: list[str], spanish: list[str]
) -> None:
    """Each reads one version, as people do; one who is named in full need not be seen."""
    meeting = FakeMeeting()
    writer = writer_of_ann(meeting, WritingRules(also_to=also_to))
    writer.write(transcript("hello"), OBSERVED, BRIEF)
    writer.write(translated("hola", "es"), OBSERVED, BRIEF)

    in_english, in_spanish = (it.recipients for it in meeting.captions)
    assert in_english == ("ann", "cid", *original)
    assert in_spanish == ("bob", *spanish)


@pytest.mark.parametrize("audience", ["language", "everyone", "original"])
def test_observers_get_no_chat(audience: ChatAudience) -> None:
    """The chat is for people: another agent might answer it."""
    meeting = FakeMeeting()
    rules = WritingRules(also_to=("*", "inspector"), audience=audience)
    writer_of_ann(meeting, rules).write(transcript("hello"), OBSERVED, BRIEF)

    (line,) = meeting.chat
    assert {"ann", "bob", "cid"}.issuperset(line.recipients)


def test_words_for_nobody_are_not_written() -> None:
    """Neither a caption nor a chat line goes out without somebody to read it."""
    meeting = FakeMeeting()
    writer_of_ann(meeting).write(translated("hallo", "de"), VIEW, BRIEF)
    writer_of_ann(meeting).write(transcript("hello"), MeetingView(), BRIEF)

    assert meeting.texts.sent == []


def test_a_speaker_who_is_missed_is_still_quoted() -> None:
    """Last words of somebody who just left come without a track, under their identity."""
    meeting = FakeMeeting()
    writer_of_ann(meeting).write(transcript("bye"), MeetingView((Person("cid", "Cid"),)), BRIEF)

    assert [caption.track_sid for caption in meeting.captions] == [""]
    assert [line.speaker_name for line in meeting.chat] == ["ann"]


def view(**listen: str | None) -> MeetingView:
    """See people who listen to something."""
    return MeetingView(tuple(Person(who, who, listen=what) for who, what in listen.items()))


@given(
    moments,
    st.permutations([translated("hola", "es"), translated("hallo", "de")]),
    st.sampled_from([Brief(EN, (ES, DE)), Brief(AUTO, (EN, ES, DE))]),
)
def test_everybody_gets_one_version_of_each_utterance(
    changes: list[tuple[Any, Any, Any]], translations: list[Transcript], brief: Brief
) -> None:
    """However people change their languages meanwhile, each gets one final, never two or none."""
    words = [transcript("hello"), *translations]
    if EN in brief.targets:
        words.append(translated("hello", "en"))
    audience = Audience("ann")
    got: list[str] = []
    for it, (ann, bob, cid) in zip(words, changes, strict=False):
        got.extend(audience.recipients(it, view(ann=ann, bob=bob, cid=cid), brief, REGIME))

    assert sorted(got) == ["ann", "bob", "cid"]


@given(moments)
def test_speakers_read_their_own_words(changes: list[tuple[Any, Any, Any]]) -> None:
    """Whatever a speaker listens to, what they said comes to them in the original only."""
    audience = Audience("ann")
    words = [
        transcript("hel", is_final=False),
        translated("ho", "es", is_final=False),
        transcript("hello"),
        translated("hola", "es"),
        translated("hallo", "de"),
        translated("hola", "es"),
    ]
    got = [
        it.is_translation
        for it, (ann, bob, _) in zip(words, changes, strict=True)
        if "ann" in audience.recipients(it, view(ann=ann, bob=bob), BRIEF, REGIME)
    ]

    assert got == [False, False]


@pytest.mark.parametrize(
    ("listen", "targets", "expected"),
    [
        ("es", (ES, DE), "es"),
        ("es-mx", (ES, DE), "es"),
        ("en", (ES, DE), None),
        ("en-us", (EN, ES), None),
        ("fr", (ES, DE), None),
        (None, (ES, DE), None),
        ("original", (ES, DE), None),
        ("de", (ES,), None),
        ("es", (), None),
    ],
)
def test_a_version_is_chosen(
    listen: str | None, targets: tuple[LanguageCode, ...], expected: str | None
) -> None:
    """A translation only where it is wanted, differs from what is spoken, and is made."""
    person = Person("bob", "Bob", listen=listen)

    chosen = version_for(person, speaker="ann", spoken=EN, targets=targets, regime=REGIME)
    assert chosen == expected


@pytest.mark.parametrize(
    ("said", "originals", "translations"),
    [
        ("translation", 0, 1),
        ("both", 1, 1),
        (" BOTH ", 1, 1),
        ("off", 0, 0),
        ("", 0, 1),
        ("none", 0, 1),
        ("x" * 100_000, 0, 1),
    ],
)
def test_a_person_says_which_captions_they_want(
    said: str, originals: int, translations: int
) -> None:
    """Their version, the original beside it, or none; the chat is not touched by it."""
    meeting = FakeMeeting()
    bob = Person("bob", "Bob", listen="es", attributes={CAPTIONS_ATTRIBUTE: said})
    for it in (transcript("hello"), translated("hola", "es")):
        writer_of_ann(meeting).write(it, MeetingView((bob,)), BRIEF)

    captions = [it.transcript.text for it in meeting.texts.sent if isinstance(it, Caption)]
    lines = [it.transcript.text for it in meeting.texts.sent if isinstance(it, ChatLine)]
    assert captions == ["hello"] * originals + ["hola"] * translations
    assert lines == ["hola"]


def test_who_reads_the_original_gets_it_once() -> None:
    """`both` asks for nothing more where the original is their version."""
    meeting = FakeMeeting()
    bob = Person("bob", "Bob", attributes={CAPTIONS_ATTRIBUTE: "both"})
    writer_of_ann(meeting).write(transcript("hello"), MeetingView((bob,)), BRIEF)

    assert [it.recipients for it in meeting.texts.sent] == [("bob",), ("bob",)]


def test_partials_decide_nothing() -> None:
    """Until the original is final, everybody may change their mind."""
    audience = Audience("ann")
    audience.recipients(transcript("hel", is_final=False), view(bob="es"), BRIEF, REGIME)

    assert audience.recipients(transcript("hello"), view(bob="en"), BRIEF, REGIME) == ("bob",)
    assert audience.recipients(translated("hola", "es"), view(bob="es"), BRIEF, REGIME) == ()


def test_who_comes_late_gets_what_is_still_to_come() -> None:
    """Somebody who joins after the original gets its translation, and only into their language."""
    audience = Audience("ann")
    audience.recipients(transcript("hello"), view(bob="es"), BRIEF, REGIME)
    both = view(bob="es", cid="de")

    assert audience.recipients(translated("hola", "es"), both, BRIEF, REGIME) == ("bob",)
    assert audience.recipients(translated("hallo", "de"), both, BRIEF, REGIME) == ("cid",)


def test_utterances_are_apart() -> None:
    """A decision holds for its own utterance; the next one asks again."""
    audience = Audience("ann")
    audience.recipients(transcript("one"), view(bob="es"), BRIEF, REGIME)
    later = transcript("two", identifier="t2")

    assert audience.recipients(later, view(bob="original"), BRIEF, REGIME) == ("bob",)


def test_memory_is_bounded() -> None:
    """A long meeting forgets the decisions of its first utterances."""
    audience = Audience("ann")
    audience.recipients(transcript("one"), view(bob="es"), BRIEF, REGIME)
    for number in range(600):
        audience.recipients(transcript("x", identifier=f"x{number}"), view(), BRIEF, REGIME)

    assert audience.recipients(translated("uno", "es"), view(bob="original"), BRIEF, REGIME) == ()


@pytest.mark.parametrize(
    ("audience", "said", "expected"),
    [
        ("language", transcript(), ("bob",)),
        ("language", translated("hola", "es"), ("bob",)),
        ("everyone", transcript(), ("ann", "bob")),
        ("everyone", translated("hola", "es"), ("ann", "bob")),
        ("original", transcript(), ("ann", "bob")),
        ("original", translated("hola", "es"), ()),
    ],
)
def test_the_chat_follows_its_own_rule(
    audience: ChatAudience, said: Transcript, expected: tuple[str, ...]
) -> None:
    """By language, all languages to all, or the original to all."""
    everybody = view(ann=None, bob="es")

    assert chat_recipients(audience, said, ("bob",), everybody) == expected
