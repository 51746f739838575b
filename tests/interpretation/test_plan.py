"""The plan: who is interpreted into what, and who still counts as there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.interpretation.plan import (
    NOTHING_YET,
    Lingering,
    Ongoing,
    Plan,
    brief_for,
    plan,
)
from palabra_agent.interpretation.ports import ChannelKey, EncryptionProblem, MeetingView, Person
from palabra_agent.interpretation.settings import Regime, SpeakerRule
from palabra_agent.interpretation.wishes import listening_language_of
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
IT, FR = LanguageCode("it"), LanguageCode("fr")
MICROPHONE = FakeSound()
LINGER = 5.0

sources = st.sampled_from(sorted(SOURCE_LANGUAGES))
targets = st.lists(st.sampled_from(sorted(TARGET_LANGUAGES)), unique=True, max_size=5)
identities = st.sampled_from("abcdefgh")
people = st.lists(
    st.builds(
        Person,
        identity=identities,
        name=st.just("A person"),
        speak=st.none() | sources | st.text(max_size=5),
        listen=st.none() | st.sampled_from(sorted(TARGET_LANGUAGES)) | st.text(max_size=5),
        listen_to=st.dictionaries(
            identities, st.sampled_from(sorted(TARGET_LANGUAGES)), max_size=2
        ),
        microphone=st.sampled_from([None, MICROPHONE]),
        is_muted=st.booleans(),
        is_phone=st.booleans(),
    ),
    unique_by=lambda person: person.identity,
)
rules = st.dictionaries(
    identities,
    st.builds(SpeakerRule, source_language=st.none() | sources, is_interpreted=st.booleans()),
)
detections = st.dictionaries(identities, sources)


class RegimeFacts(TypedDict, total=False):
    """What may be said of a room beside its languages."""

    source_language: LanguageCode
    default_listen: LanguageCode | None
    max_speakers: int
    max_languages: int
    always_on: tuple[LanguageCode, ...]
    is_per_speaker: bool


def regime(
    *offered: LanguageCode, rule: SpeakerRule | None = None, **facts: Unpack[RegimeFacts]
) -> Regime:
    """Make the rules of a room, in which `rule` holds for all speakers."""
    return Regime(offered, rule_for=lambda _: rule or SpeakerRule(), **facts)


def ann(
    speak: str | None = None,
    listen: str | None = None,
    microphone: FakeSound | None = MICROPHONE,
) -> Person:
    """Make a person with a microphone."""
    return Person("ann", "Ann", speak, listen, microphone=microphone)


def listener(language: str, identity: str = "lou") -> Person:
    """Make a person without a microphone."""
    return Person(identity, identity, listen=language)


@dataclass(frozen=True)
class Situation:
    """A room as hypothesis drew it."""

    view: MeetingView
    regime: Regime
    detected: dict[str, LanguageCode]
    ongoing: Ongoing

    def plan(self) -> Plan:
        """Make the plan of it."""
        return plan(self.view, self.regime, self.detected, self.ongoing)

    def may_hear(self, plan: Plan, speaker: str, language: LanguageCode) -> bool:
        """Tell whether there is a reason to interpret a speaker into a language."""
        former = {key for who, key in self.ongoing.former if who != speaker}
        return any(
            key.carries(speaker, language)
            and (bool(listeners - {speaker}) or language in self.regime.always_on or key in former)
            for key, listeners in plan.channels.items()
        )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Draw a room."""
    offered = draw(targets)
    said = draw(rules)
    code = st.sampled_from(offered or [EN])
    key = st.builds(ChannelKey, code, st.none() | identities) | st.builds(
        ChannelKey, code, listener=identities
    )
    regime = Regime(
        tuple(offered),
        always_on=tuple(draw(st.lists(code, unique=True, max_size=2))) if offered else (),
        source_language=draw(sources),
        default_listen=draw(st.none() | code) if offered else None,
        max_speakers=draw(st.integers(min_value=0, max_value=4)),
        max_languages=draw(st.integers(min_value=2, max_value=4)),
        is_per_speaker=draw(st.booleans()),
        rule_for=lambda identity: said.get(identity, SpeakerRule()),
    )
    some = st.lists(identities, unique=True)
    there = draw(people)
    ongoing = Ongoing(
        speakers=draw(some),
        heard=draw(some),
        ready=draw(some),
        missed=[who for who in draw(some) if who not in {it.identity for it in there}],
        languages=draw(st.lists(code)),
        former=draw(st.lists(st.tuples(identities, key), max_size=2)),
        typing=draw(some),
    )
    return Situation(MeetingView(tuple(there)), regime, draw(detections), ongoing)


@given(situations())
def test_speakers_are_interpreted_as_promised(room: Situation) -> None:
    """Never into their own language, beyond the limit, or against the config."""
    made, offered, detected = room.plan(), room.regime.offered, room.detected

    assert made == room.plan()
    assert len(made.briefs) + len(made.missed) <= room.regime.max_speakers
    assert not made.left_out or len(made.briefs) == room.regime.max_speakers
    assert set(made.missed) <= set(room.ongoing.missed)
    assert set(made.left_out) <= set(room.ongoing.heard)
    assert made.briefs.items() <= made.candidates.items()
    assert len(made.candidates) <= 2 * room.regime.max_speakers
    for identity, brief in made.briefs.items():
        spoken = detected.get(identity, AUTO) if brief.source_language == AUTO else None
        assert [t for t in brief.targets if same_language(t, brief.source_language)] == []
        assert spoken is None or [t for t in brief.targets if same_language(t, spoken)] == []
        assert brief.targets == tuple(t for t in offered if t in brief.targets) != ()
    reasons = {*room.ongoing.speakers, *room.ongoing.heard, *room.ongoing.ready}
    assert made.briefs.keys() <= reasons
    for identity in (*made.candidates, *made.left_out):
        person = room.view.person(identity)
        assert room.regime.rule_for(identity).is_interpreted
        assert person is not None
        assert person.microphone


@given(situations())
def test_no_interpretation_is_without_a_listener(room: Situation) -> None:
    """A channel has listeners, is always on, or was left a moment ago; so has each target."""
    made = room.plan()
    former = {key for _, key in room.ongoing.former}
    languages = {key.language for key in made.channels}

    assert len(languages) <= room.regime.max_languages
    assert languages <= set(room.regime.offered)
    for key, listeners in made.channels.items():
        assert listeners or key in former or key.language in room.regime.always_on
    for key, away in made.away.items():
        assert key in made.channels
        assert away.isdisjoint(person.identity for person in room.view.people)
    for identity, brief in made.briefs.items():
        for target in brief.targets:
            assert room.may_hear(made, identity, target)


@given(situations())
def test_each_listener_hears_the_language_that_they_listen_to(room: Situation) -> None:
    """All of it, each interpretation once, nothing else, and never their own voice."""
    made = room.plan()
    for person in room.view.people:
        channels = [key for key, who in made.channels.items() if person.identity in who]
        heard = [
            (speaker, target)
            for speaker, brief in made.briefs.items()
            for target in brief.targets
            for key in channels
            if key.carries(speaker, target)
        ]
        wanted = [
            (speaker, target)
            for speaker, brief in made.briefs.items()
            for target in brief.targets
            if speaker != person.identity
            and target == listening_language_of(person, room.regime, speaker)
        ]
        assert heard == wanted
        assert room.regime.is_per_speaker or len(channels) <= 1
        if not room.regime.is_per_speaker and not channels:
            language = listening_language_of(person, room.regime)
            assert language is None or language in made.languages_left_out


@given(situations())
def test_a_caller_by_telephone_has_one_mix_of_all(room: Situation) -> None:
    """Where each speaker has channels as well; there no other listener has a mix."""
    made, phones = room.plan(), {it.identity for it in room.view.people if it.is_phone}
    for person in room.view.people:
        channels = {key for key, who in made.channels.items() if person.identity in who}
        language = listening_language_of(person, room.regime)
        if not person.is_phone:
            is_own = {key.listener == person.identity for key in channels}
            assert not (room.regime.is_per_speaker and True in is_own)
        elif language is not None and language in made.languages:
            assert channels == {ChannelKey(language, listener=person.identity)}
        else:
            assert channels == set()
    if room.regime.is_per_speaker:
        former = {key for _, key in room.ongoing.former}
        assert {key.listener for key in made.channels.keys() - former} <= {None, *phones}


@given(situations())
def test_what_a_person_types_is_for_others_in_their_language(room: Situation) -> None:
    """Never in the author's own; and where it is spoken, each who asked for it hears it once."""
    made = room.plan()
    for author in room.view.people:
        brief = made.brief_of_author(author, room.detected.get(author.identity))
        for target in brief.targets if brief is not None else ():
            assert brief is not None
            assert not same_language(target, brief.source_language)
            assert not brief.voices
            assert not brief.may_clone
            wanting = {
                person.identity
                for person in room.view.people
                if listening_language_of(person, room.regime, author.identity) == target
            } - {author.identity}
            assert wanting
            if author.identity in room.ongoing.typing:
                hearing = [
                    who
                    for key, listeners in made.channels.items()
                    for who in listeners
                    if key.carries(author.identity, target)
                ]
                assert sorted(hearing) == sorted(wanting)


@given(situations())
def test_a_plan_that_is_followed_stays(room: Situation) -> None:
    """Where what is wanted goes on, the next plan wants the same."""
    made = room.plan()
    going_on = replace(
        room.ongoing,
        speakers=[*made.briefs, *made.missed],
        missed=made.missed,
        languages=made.languages,
    )
    again = replace(room, ongoing=going_on).plan()

    assert again.briefs == made.briefs
    assert again.channels == made.channels


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
    assert brief_for(ann(speak), regime(EN, ES, DE), (EN, ES, DE), detected) == expected


def test_nothing_to_interpret_is_no_brief() -> None:
    """A speaker of the only offered language needs no session, and one left alone gets none."""
    assert brief_for(ann("en-gb"), regime(EN), (EN,)) is None
    assert brief_for(ann("auto"), regime(EN), (EN,), EN) is None
    assert brief_for(ann("en"), regime(EN), ()) is None
    assert brief_for(ann("es"), regime(EN, rule=SpeakerRule(None, False)), (EN,)) is None


@pytest.mark.parametrize(
    ("speak", "listen", "detected", "expected"),
    [
        ("en-GB", "es", None, Brief(EN, (ES, DE))),
        (None, "de-AT", None, Brief(DE, (ES,))),
        ("auto", "de", ES, Brief(ES, (DE,))),
        (None, "original", None, Brief(AUTO, (ES, DE))),
        (None, "original", LanguageCode("xx"), Brief(AUTO, (ES, DE))),
    ],
)
def test_a_text_is_in_the_language_that_its_author_speaks_or_reads(
    speak: str | None, listen: str, detected: LanguageCode | None, expected: Brief
) -> None:
    """As far as it is known."""
    author = ann(speak, listen, None)
    view = MeetingView((author, listener("es"), listener("de", "dan"), listener("fr", "fay")))
    made = plan(view, regime(EN, ES, DE, IT, always_on=(IT,)))

    assert made.brief_of_author(author, detected) == expected


def test_nobody_is_translated_for_themselves_alone() -> None:
    """Nor for those who listen to the original, or against the config."""
    author, room = ann("en", "es", None), regime(EN, ES, always_on=(ES,))
    alone = plan(MeetingView((author, listener("original"))), room)
    barred = regime(EN, ES, rule=SpeakerRule(None, False))
    left_alone = plan(MeetingView((author, listener("es"))), barred)

    assert alone.brief_of_author(author, None) is None
    assert left_alone.brief_of_author(author, None) is None


def planned(people: Sequence[Person], room: Regime, ongoing: Ongoing = NOTHING_YET) -> Plan:
    """Make a plan of a room in which all have been there for some time."""
    ready = [person.identity for person in people]
    return plan(MeetingView(tuple(people)), room, ongoing=replace(ongoing, ready=ready))


def test_who_comes_first_is_served_first() -> None:
    """Those without a need take no place; those who speak without one are left out by name."""
    who = tuple(
        Person(identity, identity, speak=speak, microphone=microphone)
        for identity, speak, microphone in [
            ("silent", "es", None),
            ("native", "en", MICROPHONE),
            ("first", "es", MICROPHONE),
            ("second", "es", MICROPHONE),
        ]
    )
    people, room = (*who, listener("en")), regime(EN, max_speakers=1)
    made = planned(people, room, Ongoing(speakers=["first"], heard=["first", "second"]))

    assert made.briefs == {"first": Brief(ES, (EN,))}
    assert made.left_out == ("second",)
    assert planned(people, room).briefs == {"first": Brief(ES, (EN,))}
    assert planned(people, room).left_out == ()


@pytest.mark.parametrize(
    ("ongoing", "muted", "expected"),
    [
        (Ongoing(), "", ""),
        (Ongoing(ready="ab"), "", "ab"),
        (Ongoing(ready="abc"), "a", "bc"),
        (Ongoing(heard="c", ready="ab"), "", "ac"),
        (Ongoing(speakers="ab", heard="abc"), "", "ab"),
        (Ongoing(speakers="ab", heard="ac"), "", "ac"),
        (Ongoing(speakers="ab", heard="ac"), "a", "ac"),
        (Ongoing(speakers="ab", heard="c"), "a", "bc"),
        (Ongoing(speakers="ab", heard="c"), "ab", "ac"),
        (Ongoing(speakers="ax", missed="x", heard="a", ready="bc"), "", "ax"),
        (Ongoing(speakers="ax", missed="x", heard="ab"), "", "ab"),
        (Ongoing(speakers="xy", missed="xy", heard="c"), "", "cx"),
    ],
)
def test_places_go_to_those_who_speak(ongoing: Ongoing, muted: str, expected: str) -> None:
    """Then to those who did, and may; the muted and the missed give way, unless just heard."""
    people = [Person(who, who, "en", microphone=MICROPHONE, is_muted=who in muted) for who in "abc"]
    made = plan(MeetingView((*people, listener("es"))), regime(ES, max_speakers=2), ongoing=ongoing)

    assert sorted((*made.briefs, *made.missed)) == [*expected]


def test_microphones_beyond_twice_the_limit_are_not_listened_to() -> None:
    """First come those with a place, then those who speak; the muted ones come last."""
    people = [
        Person(f"p{number}", "", "en", microphone=MICROPHONE, is_muted=number < 3)
        for number in range(6)
    ]
    ongoing = Ongoing(speakers=["p2"], heard=["p5"])
    made = plan(MeetingView((*people, listener("es"))), regime(ES, max_speakers=2), ongoing=ongoing)

    assert [*made.candidates] == ["p5", "p2", "p3", "p4"]


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
    made = planned((*who, listener("en")), regime(EN, max_speakers=1))

    assert made.encryption_problems == (no_key, EncryptionProblem.NOT_ENCRYPTED)
    assert made.briefs == {"plain": Brief(ES, (EN,))}
    assert made.left_out == ()


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (listener("es"), {ChannelKey(ES): {"lou"}}),
        (listener("es-MX"), {ChannelKey(ES): {"lou"}}),
        (listener("ES_ar"), {ChannelKey(ES): {"lou"}}),
        (listener("original"), {}),
        (listener(""), {}),
        (listener("fr"), {}),
        (ann("es", "es"), {ChannelKey(ES): {"ann"}}),
        (ann("es-MX", "es"), {ChannelKey(ES): {"ann"}}),
        (ann("en", "es"), {ChannelKey(ES): {"ann"}}),
        (ann("en", "es", None), {ChannelKey(ES): {"ann"}}),
        (
            Person("tel", "Tel", listen="es", is_phone=True),
            {ChannelKey(ES, listener="tel"): {"tel"}},
        ),
    ],
)
def test_a_listener_has_one_channel(person: Person, expected: dict[ChannelKey, set[str]]) -> None:
    """That of all; a caller by telephone has one of their own."""
    assert planned([person], regime(ES, DE)).channels == expected


def test_a_speaker_is_interpreted_for_other_listeners_alone() -> None:
    """Who is interpreted into the language that they hear has a mix without their own voice."""
    alone = planned([ann("en", "es")], regime(EN, ES))
    together = planned([ann("en", "es"), listener("es")], regime(EN, ES))
    silent = plan(MeetingView((ann("en", "es"), listener("es"))), regime(EN, ES))

    assert alone.briefs == {}
    assert together.briefs == {"ann": Brief(EN, (ES,))}
    assert together.channels == {
        ChannelKey(ES): {"lou"},
        ChannelKey(ES, listener="ann"): {"ann"},
    }
    assert alone.channels == {ChannelKey(ES): {"ann"}}
    assert silent.channels == {ChannelKey(ES): {"ann", "lou"}}


def test_a_channel_stays_for_a_listener_who_left_a_moment_ago() -> None:
    """With its interpretation, and no listener; a language that is offered no more does not."""
    left = Ongoing(former=[("lou", ChannelKey(ES)), ("lou", ChannelKey(DE))])
    made = planned([ann("en")], regime(EN, ES), left)

    assert made.briefs == {"ann": Brief(EN, (ES,))}
    assert made.channels == {ChannelKey(ES): set()}


def test_a_listener_who_comes_back_may_hear_their_channel_at_once() -> None:
    """They are allowed it while they are away; who stays and has left it is not."""
    left = Ongoing(
        former=[("max", ChannelKey(ES)), ("lou", ChannelKey(ES)), ("lou", ChannelKey(DE))]
    )
    made = planned([ann("en"), listener("original", "max")], regime(EN, ES), left)

    assert made.channels == {ChannelKey(ES): set()}
    assert made.away == {ChannelKey(ES): {"lou"}}


def test_languages_beyond_the_limit_are_left_out() -> None:
    """Those always on come first, then those that go on; a listener who left gives way."""
    room = regime(EN, ES, DE, IT, FR, always_on=(FR,), max_languages=3)
    people = [ann("pl"), listener("es"), listener("de", "dan"), listener("it", "ian")]
    going_on = Ongoing(languages=[IT], former=[("left", ChannelKey(EN))])
    made = planned(people, room, going_on)

    assert made.briefs["ann"].targets == (ES, IT, FR)
    assert made.languages_left_out == (DE,)
    assert made.channels == {
        ChannelKey(ES): {"lou"},
        ChannelKey(IT): {"ian"},
        ChannelKey(FR): set(),
    }


def test_each_speaker_may_have_channels_of_their_own() -> None:
    """A listener hears each speaker in the language that they chose for them, else for all."""
    lou = replace(listener("es"), listen_to={"bob": "de", "cid": "original"})
    speakers = [Person(who, who, "en", microphone=MICROPHONE) for who in ("ann", "bob", "cid")]
    room = regime(EN, ES, DE, always_on=(DE,), is_per_speaker=True)
    made = planned([lou, *speakers], room)

    assert made.channels == {
        ChannelKey(ES, "ann"): {"lou"},
        ChannelKey(DE, "ann"): set(),
        ChannelKey(DE, "bob"): {"lou"},
        ChannelKey(DE, "cid"): set(),
    }
    assert made.briefs["bob"].targets == (DE,)


def test_a_phone_alone_is_no_reason_for_channels_of_speakers() -> None:
    """All of them are in its mix, also those for whom others chose another language."""
    phone = Person("tel", "Tel", listen="es", is_phone=True, listen_to={"ann": "de"})
    lou = replace(listener("original"), listen_to={"bob": "de"})
    speakers = [Person(who, who, "en", microphone=MICROPHONE) for who in ("ann", "bob")]
    made = planned([phone, lou, *speakers], regime(EN, ES, DE, is_per_speaker=True))

    assert made.channels == {
        ChannelKey(DE, "bob"): {"lou"},
        ChannelKey(ES, listener="tel"): {"tel"},
    }
    assert {who: it.targets for who, it in made.briefs.items()} == {"ann": (ES,), "bob": (ES, DE)}


def test_a_phone_that_left_a_moment_ago_keeps_its_mix() -> None:
    """With the interpretations for it, and no listener; of another room's kind of channels none."""
    room = regime(EN, ES, is_per_speaker=True)
    left = Ongoing(former=[("tel", ChannelKey(ES, listener="tel")), ("lou", ChannelKey(EN))])
    made = planned([ann("en")], room, left)

    assert made.briefs == {"ann": Brief(EN, (ES,))}
    assert made.channels == {ChannelKey(ES, listener="tel"): set()}


def test_a_speaker_who_is_away_is_heard_to_the_end() -> None:
    """By those who still listen to them: their last words may come when they are gone."""
    bobs = ChannelKey(ES, "bob")
    away = Ongoing(speakers=["bob"], missed=["bob"], former=[("lou", bobs), ("max", bobs)])
    people = [listener("es"), listener("original", "max")]

    assert planned(people, regime(EN, ES, is_per_speaker=True), away).channels == {bobs: {"lou"}}


@pytest.mark.parametrize(
    ("key", "name", "carried"),
    [
        (ChannelKey(ES), "translation_es", "ab"),
        (ChannelKey(ES, "a"), "translation_es@a", "a"),
        (ChannelKey(ES, listener="a"), "translation_es/a", "b"),
    ],
)
def test_a_channel_s_name_tells_what_is_heard_on_it(
    key: ChannelKey, name: str, carried: str
) -> None:
    """All speakers, one of them, or all but the one who listens; in its language alone."""
    assert key.track_name == name
    assert "".join(who for who in "ab" if key.carries(who, ES)) == carried
    assert not key.carries("b", DE)


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
    lingering = Lingering[str](LINGER)
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
    lingering = Lingering[str](LINGER)
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
    lingering = Lingering[str](LINGER)
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
    lingering = Lingering[str](LINGER)
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
    lingering = Lingering[str](0)
    lingering.observe("a", is_connected=True, now=0)

    assert lingering.observe("", is_connected=True, now=0) == set()
