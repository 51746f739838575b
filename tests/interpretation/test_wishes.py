"""What people speak and hear, as they wrote it; and what they are told where it is not there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.ports import MeetingView, Notice, Person
from palabra_agent.interpretation.settings import Regime, SpeakerRule
from palabra_agent.interpretation.wishes import (
    UnmetWishes,
    listening_language_of,
    source_language_of,
    spoken_language_of,
)
from palabra_agent.languages import AUTO, LanguageCode
from palabra_agent.texts import one_line
from tests.fakes import FakeSound

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
MICROPHONE = FakeSound()


def regime(
    *offered: LanguageCode,
    rule: LanguageCode | None = None,
    source_language: LanguageCode = AUTO,
    default_listen: LanguageCode | None = None,
) -> Regime:
    """Make the languages of a room, in which `rule` is known of every speaker."""
    return Regime(
        offered,
        source_language=source_language,
        default_listen=default_listen,
        rule_for=lambda _: SpeakerRule(rule),
    )


def ann(
    speak: str | None = None, listen: str | None = None, *, is_reachable: bool = True
) -> Person:
    """Make a person with a microphone."""
    return Person("ann", "Ann", speak, listen, MICROPHONE, is_reachable=is_reachable)


def told(wishes: UnmetWishes, person: Person, room: Regime) -> list[str]:
    """The sentences that a person is told now, and no other person."""
    notices = list(wishes.notices(MeetingView((person, Person("bob", "Bob"))), room))
    assert {notice.recipients for notice in notices} <= {(person.identity,)}
    return [notice.text for notice in notices]


@pytest.mark.parametrize(
    ("speak", "rule", "everybody", "expected"),
    [
        (None, None, AUTO, "auto"),
        (None, None, EN, "en"),
        (None, ES, EN, "es"),
        ("de", ES, EN, "de"),
        ("DE_at", ES, EN, "de"),
        ("nb-NO", ES, EN, "no"),
        ("iw", ES, EN, "he"),
        ("zh-TW", ES, EN, "zh"),
        ("auto", ES, EN, "auto"),
        (" Auto ", ES, EN, "auto"),
        ("klingon", ES, EN, "es"),
        ("", None, EN, "en"),
        ("original", None, EN, "en"),
    ],
)
def test_the_nearest_word_on_a_speaker_counts(
    speak: str | None, rule: LanguageCode | None, everybody: LanguageCode, expected: str
) -> None:
    """Their own word, then the config's on them, then on all; what is no language is no word."""
    room = regime(EN, source_language=everybody, rule=rule)

    assert source_language_of(ann(speak=speak), room) == expected


@pytest.mark.parametrize(
    ("listen", "default", "expected"),
    [
        (None, None, None),
        (None, ES, "es"),
        ("de", ES, "de"),
        ("DE-at", ES, "de"),
        ("gsw-CH", ES, "de"),
        ("original", ES, None),
        (" Original ", ES, None),
        ("fr", None, None),
        ("fr", ES, "es"),
        ("auto", ES, "es"),
    ],
)
def test_listeners_get_what_is_offered(
    listen: str | None, default: LanguageCode | None, expected: str | None
) -> None:
    """The nearest that is offered, else the room's default; the original by wish alone."""
    room = regime(ES, DE, default_listen=default)

    assert listening_language_of(ann(listen=listen), room) == expected


@pytest.mark.parametrize(
    ("speak", "detected", "expected"),
    [("en-us", DE, EN), ("auto", DE, DE), (None, None, None), ("klingon", ES, ES)],
)
def test_what_was_said_counts_more_than_what_was_detected(
    speak: str | None, detected: LanguageCode | None, expected: LanguageCode | None
) -> None:
    """A language that was neither said nor detected is unknown."""
    assert spoken_language_of(ann(speak=speak), regime(EN), detected) == expected


@pytest.mark.parametrize(
    ("listen", "default", "expected"),
    [
        (
            "fr-CA",
            None,
            'You asked to hear "fr-CA", which is not offered here, and get the original. '
            "Offered are es, de, and the original.",
        ),
        (
            " kl\u202ein\ngon ",
            ES,
            'You asked to hear "klin gon", which is not offered here, and get "es". '
            "Offered are es, de, and the original.",
        ),
        (
            "x" * 64,
            None,
            f'You asked to hear "{"x" * 29}…", which is not offered here, and get the original. '
            "Offered are es, de, and the original.",
        ),
    ],
)
def test_a_listener_is_told_what_is_offered(
    listen: str, default: LanguageCode | None, expected: str
) -> None:
    """The one who asked, once, with what they hear instead."""
    wishes, room = UnmetWishes(), regime(ES, DE, default_listen=default)

    assert told(wishes, ann(listen=listen), room) == [expected]
    assert told(wishes, ann(listen=listen), room) == []


@pytest.mark.parametrize(
    ("rule", "taken"),
    [(None, "is detected as you speak"), (ES, 'is taken to be "es"')],
)
def test_a_speaker_is_told_what_is_recognised(rule: LanguageCode | None, taken: str) -> None:
    """Who speaks no language of Palabra's is told so, with all that there are."""
    (sentence,) = told(UnmetWishes(), ann(speak="tlh"), regime(ES, rule=rule))

    assert sentence.startswith(
        'You wrote that you speak "tlh", which Palabra does not recognise; '
        f"your language {taken}. Recognised are af, am, ar, "
    )
    assert sentence.endswith(", zh, zu.")
    assert "auto" not in sentence


@pytest.mark.parametrize(
    "person",
    [
        ann(),
        ann("en-US", "de-AT"),
        ann("nb", "original"),
        ann("auto", "auto"),
        ann("original", " "),
        Person("ann", "Ann", speak="tlh"),
    ],
)
def test_a_wish_that_is_met_is_not_spoken_of(person: Person) -> None:
    """Nor one that is left open, nor the language of a person without a microphone."""
    assert told(UnmetWishes(), person, regime(ES, DE)) == []


def test_people_are_told_when_it_can_reach_them() -> None:
    """Texts are not kept for a person who is still joining."""
    wishes, room = UnmetWishes(), regime(ES)

    assert told(wishes, ann(listen="fr", is_reachable=False), room) == []
    assert len(told(wishes, ann(listen="fr"), room)) == 1


def test_another_wish_or_another_offer_is_another_answer() -> None:
    """A wish that comes again is not answered again, whoever leaves meanwhile."""
    wishes = UnmetWishes()
    first = told(wishes, ann(listen="fr"), regime(ES))
    list(wishes.notices(MeetingView(), regime(ES)))
    second = told(wishes, ann(listen="it"), regime(ES))
    third = told(wishes, ann(listen="fr"), regime(ES, DE))

    assert [len(first), len(second), len(third)] == [1, 1, 1]
    assert told(wishes, ann(listen="fr"), regime(ES)) == []
    assert told(wishes, ann(listen="de"), regime(ES, DE)) == []


def test_who_writes_nonsense_without_end_is_not_answered_without_end() -> None:
    """Twenty sentences to one person are enough."""
    wishes = UnmetWishes()
    answers = [told(wishes, ann(listen=f"x{number}"), regime(ES)) for number in range(50)]

    assert len([each for each in answers if each]) == 20


@given(st.text(), st.text())
def test_a_sentence_is_one_short_line(speak: str, listen: str) -> None:
    """Whatever is written, nothing is raised, and what is answered can be read and sent."""
    for sentence in told(UnmetWishes(), ann(speak, listen), regime(ES, DE)):
        assert sentence == one_line(sentence)
        assert len(sentence) < 1000
        sentence.encode()


def test_a_notice_is_for_all_unless_it_says_for_whom() -> None:
    """Errors of the room are told to all people."""
    assert Notice("no balance").recipients == ()
