"""The sentence that tells people that a machine interprets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from palabra_agent.interpretation.disclosure import SENTENCES, Disclosure
from palabra_agent.interpretation.ports import MeetingView, Person
from palabra_agent.interpretation.settings import DisclosureRules, Regime
from palabra_agent.languages import LanguageCode
from palabra_agent.texts import one_line

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
REGIME = Regime((EN, ES, DE))
RULES = DisclosureRules()


def told(*people: Person, rules: DisclosureRules = RULES, regime: Regime = REGIME) -> list[str]:
    """What each is told when all come at once."""
    notices = list(Disclosure().notices(MeetingView(people), rules, regime))
    by_person = {who: notice.text for notice in notices for who in notice.recipients}
    return [by_person[person.identity] for person in people]


def ours(code: str) -> str:
    """Our words in a language."""
    return " ".join(SENTENCES[code])


@pytest.mark.parametrize(
    ("listen", "speak", "code"),
    [
        ("es", None, "es"),
        ("es-MX", "de", "es"),
        ("original", "de", "de"),
        (None, "de-AT", "de"),
        (None, None, "en"),
        (None, "auto", "en"),
        ("ja", None, "ja"),
        ("zh-TW", None, "zh"),
        ("klingon", None, "en"),
        ("", "", "en"),
    ],
)
def test_each_person_is_told_in_their_language(
    listen: str | None, speak: str | None, code: str
) -> None:
    """The one that they hear, else speak; also one that is not offered here; else English."""
    assert told(Person("ann", "Ann", listen=listen, speak=speak)) == [ours(code)]


def test_the_undecided_are_told_in_the_language_that_they_will_hear() -> None:
    """`default_listen` is theirs."""
    regime = replace(REGIME, default_listen=DE)

    assert told(Person("ann", "Ann"), regime=regime) == [ours("de")]


def test_each_is_told_once_and_latecomers_too() -> None:
    """Those who cannot be reached yet are told when they can."""
    disclosure = Disclosure()
    ann, bob = Person("ann", "Ann"), Person("bob", "Bob", is_reachable=False)

    def readers(*people: Person) -> list[tuple[str, ...]]:
        return [it.recipients for it in disclosure.notices(MeetingView(people), RULES, REGIME)]

    assert readers(ann, bob) == [("ann",)]
    assert readers(ann, bob) == []
    assert readers(ann, replace(bob, is_reachable=True), Person("cid", "Cid")) == [("bob", "cid")]


def test_a_room_may_say_it_in_its_own_words() -> None:
    """By language; people of other languages are told in ours."""
    rules = DisclosureRules({ES: "Hola", EN: "Hello"})

    assert told(
        Person("ann", "Ann", listen="es-mx"),
        Person("bob", "Bob"),
        Person("cid", "Cid", listen="de"),
        rules=rules,
    ) == ["Hola", "Hello", ours("de")]


def test_help_is_named_where_it_is_answered() -> None:
    """Without chat commands there is none."""
    assert told(Person("ann", "Ann"), rules=DisclosureRules(has_commands=False)) == [
        SENTENCES["en"][0]
    ]


def test_a_room_may_say_nothing() -> None:
    """`disclosure.enabled: false`."""
    assert list(Disclosure().notices(MeetingView((Person("ann", "Ann"),)), None, REGIME)) == []


@pytest.mark.parametrize("code", SENTENCES)
def test_each_sentence_is_a_chat_message(code: str) -> None:
    """It passes the way of all texts as it is, and names the command."""
    assert one_line(ours(code)) == ours(code)
    assert "/help" in SENTENCES[code][1]
