"""The plan: who is interpreted into what, and who still counts as there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.plan import (
    Lingering,
    Plan,
    brief_for,
    plan,
)
from palabra_agent.interpretation.ports import EncryptionProblem, MeetingView, Person
from palabra_agent.interpretation.settings import Regime, SpeakerRule
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    same_language,
)
from palabra_agent.session import Brief
from tests.fakes import FakeSound

pytestmark = pytest.mark.unit

EN, ES, DE = LanguageCode("en"), LanguageCode("es"), LanguageCode("de")
MICROPHONE = FakeSound()
LINGER = 5.0

sources = st.sampled_from(sorted(SOURCE_LANGUAGES))
targets = st.lists(st.sampled_from(sorted(TARGET_LANGUAGES)), unique=True, max_size=5)
people = st.lists(
    st.builds(
        Person,
        identity=st.sampled_from("abcdefgh"),
        name=st.just("somebody"),
        speak=st.none() | sources | st.text(max_size=5),
        listen=st.none() | st.text(max_size=5),
        microphone=st.sampled_from([None, MICROPHONE]),
    ),
    unique_by=lambda person: person.identity,
)
rules = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(SpeakerRule, source_language=st.none() | sources, is_interpreted=st.booleans()),
)
detections = st.dictionaries(st.sampled_from("abcdefgh"), sources)


class RegimeFacts(TypedDict, total=False):
    """What may be said of a room beside its languages."""

    source_language: LanguageCode
    default_listen: LanguageCode | None
    max_speakers: int


def regime(
    *offered: LanguageCode, rule: SpeakerRule | None = None, **facts: Unpack[RegimeFacts]
) -> Regime:
    """Make the rules of a room, in which `rule` holds for everybody."""
    return Regime(offered, rule_for=lambda _: rule or SpeakerRule(), **facts)


def somebody(speak: str | None = None, listen: str | None = None) -> Person:
    """Make a person with a microphone."""
    return Person("ann", "Ann", speak, listen, MICROPHONE)


def drawn(
    offered: list[LanguageCode], said: Mapping[str, SpeakerRule], limit: int, source: LanguageCode
) -> Regime:
    """Make the rules of a room from what hypothesis drew."""
    return Regime(
        tuple(offered),
        source_language=source,
        max_speakers=limit,
        rule_for=lambda identity: said.get(identity, SpeakerRule()),
    )


@given(people, targets, rules, st.integers(min_value=0, max_value=4), sources, detections)
def test_the_plan_keeps_its_promises(
    who: list[Person],
    offered: list[LanguageCode],
    said: dict[str, SpeakerRule],
    limit: int,
    source: LanguageCode,
    detected: dict[str, LanguageCode],
) -> None:
    """Nobody is interpreted into their own language, beyond the limit, or against the config."""
    room = drawn(offered, said, limit, source)
    view = MeetingView(tuple(who))
    made = plan(view, room, detected)

    assert made == plan(view, room, detected)
    assert len(made.briefs) <= limit
    assert not made.left_out or len(made.briefs) == limit
    for identity, brief in made.briefs.items():
        spoken = detected.get(identity, AUTO) if brief.source_language == AUTO else None
        assert [t for t in brief.targets if same_language(t, brief.source_language)] == []
        assert spoken is None or [t for t in brief.targets if same_language(t, spoken)] == []
        assert brief.targets == tuple(t for t in offered if t in brief.targets) != ()
    for identity in (*made.briefs, *made.left_out):
        assert said.get(identity, SpeakerRule()).is_interpreted
        assert next(person for person in who if person.identity == identity).microphone


@pytest.mark.parametrize(
    ("speak", "detected", "expected"),
    [
        ("en", None, Brief(EN, (ES, DE))),
        ("en-us", None, Brief(EN, (ES, DE))),
        ("fr", None, Brief(LanguageCode("fr"), (EN, ES, DE))),
        ("auto", None, Brief(AUTO, (EN, ES, DE))),
        ("auto", ES, Brief(AUTO, (EN, DE))),
        ("en", ES, Brief(EN, (ES, DE))),
    ],
)
def test_a_brief_leaves_the_own_language_out(
    speak: str, detected: LanguageCode | None, expected: Brief
) -> None:
    """What was detected counts only for those on `auto`."""
    assert brief_for(somebody(speak=speak), regime(EN, ES, DE), detected) == expected


def test_nothing_to_interpret_is_no_brief() -> None:
    """A speaker of the only offered language needs no session, and one left alone gets none."""
    assert brief_for(somebody(speak="en-gb"), regime(EN)) is None
    assert brief_for(somebody(speak="auto"), regime(EN), EN) is None
    assert brief_for(somebody(speak="en"), regime()) is None
    assert brief_for(somebody(speak="es"), regime(EN, rule=SpeakerRule(None, False))) is None


def test_who_comes_first_is_served_first() -> None:
    """Beyond the limit people are left out by name; those without a need take no place."""
    who = tuple(
        Person(identity, identity, speak=speak, microphone=microphone)
        for identity, speak, microphone in [
            ("silent", "es", None),
            ("native", "en", MICROPHONE),
            ("first", "es", MICROPHONE),
            ("second", "es", MICROPHONE),
        ]
    )
    made = plan(MeetingView(who), regime(EN, max_speakers=1))

    assert made == Plan({"first": Brief(ES, (EN,))}, ("second",))


def test_who_cannot_be_decrypted_is_told_of_where_they_would_be_interpreted() -> None:
    """Each kind once; they take no place, and who has no need of us is no problem."""
    no_key, other_key = EncryptionProblem.NO_KEY, EncryptionProblem.OTHER_KEY
    who = tuple(
        Person(identity, identity, speak, microphone=microphone, encryption_problem=problem)
        for identity, speak, microphone, problem in [
            ("native", "en", None, other_key),
            ("first", "es", None, no_key),
            ("second", "es", None, no_key),
            ("plain", "es", MICROPHONE, EncryptionProblem.NOT_ENCRYPTED),
        ]
    )
    made = plan(MeetingView(who), regime(EN, max_speakers=1))

    problems = (no_key, EncryptionProblem.NOT_ENCRYPTED)
    assert made == Plan({"plain": Brief(ES, (EN,))}, (), problems)


sightings = st.lists(
    st.tuples(
        st.frozensets(st.sampled_from("abc")),
        st.booleans(),
        st.floats(min_value=0, max_value=4),
    ),
    max_size=30,
)


@given(sightings)
def test_people_count_exactly_as_long_as_promised(
    seen: list[tuple[frozenset[str], bool, float]],
) -> None:
    """Whoever is there counts; whoever is missed counts for the linger of connected time."""
    lingering = Lingering(LINGER)
    now, last_seen = 0.0, dict[str, float]()
    for present, is_connected, pause in seen:
        now += pause
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        before = last_seen.keys()
        assert present <= counted <= present | before
        if not is_connected:
            # nobody leaves while we cannot look
            assert counted == present | before

        last_seen = dict.fromkeys(present, now) | {who: last_seen[who] for who in counted - present}


@given(sightings)
def test_nobody_is_missed_for_longer(seen: list[tuple[frozenset[str], bool, float]]) -> None:
    """At the time that is told, the next one stops counting, and not before."""
    lingering = Lingering(LINGER)
    now = 0.0
    for present, is_connected, pause in seen:
        now += pause
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        departure = lingering.next_departure
        if departure is None:
            assert not is_connected or counted == present
        else:
            assert now < departure <= now + LINGER


def test_a_short_absence_is_no_departure() -> None:
    """Coming back in time starts all over; staying away does not."""
    lingering = Lingering(LINGER)
    seen = [
        lingering.observe(present, is_connected=True, now=now)
        for present, now in [("a", 0), ("", 1), ("", 5.9), ("a", 5.95), ("", 6), ("", 10.9)]
    ]

    departure = lingering.next_departure

    assert seen == [{"a"}] * 6
    assert departure == 11
    assert lingering.observe("", is_connected=True, now=11) == set()
    assert lingering.next_departure is None


def test_absence_counts_from_our_own_return() -> None:
    """While we are away ourselves nobody leaves, however long; then everybody has the full time."""
    lingering = Lingering(LINGER)
    seen: list[tuple[str, float | None]] = []
    for present, is_connected, now in [
        ("ab", True, 0),
        ("b", True, 1),
        ("", False, 2),
        ("", False, 1000),
        ("b", True, 1001),
        ("b", True, 1006),
    ]:
        counted = lingering.observe(present, is_connected=is_connected, now=now)
        seen.append(("".join(sorted(counted)), lingering.next_departure))

    assert seen == [("ab", None), ("ab", 6), ("ab", None), ("ab", None), ("ab", 1006), ("b", None)]


def test_without_a_linger_absence_is_departure() -> None:
    """A linger of zero seconds means none."""
    lingering = Lingering(0)
    lingering.observe("a", is_connected=True, now=0)

    assert lingering.observe("", is_connected=True, now=0) == set()
