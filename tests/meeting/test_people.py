"""Who is a person, which track is a voice, what somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import Person
from palabra_agent.meeting.people import PeopleMemory, describe, is_microphone, is_person
from tests.fakes import FakeSound

pytestmark = pytest.mark.unit

Kind = rtc.ParticipantKind
STANDARD = Kind.PARTICIPANT_KIND_STANDARD


@dataclass
class FakePublication:
    """What we look at of a publication."""

    kind: int = rtc.TrackKind.KIND_AUDIO
    source: int = rtc.TrackSource.SOURCE_MICROPHONE
    sid: str = "TR_mic"
    muted: bool = False


@dataclass
class FakeParticipant:
    """What we look at of a participant."""

    kind: int = STANDARD
    identity: str = "ann"
    name: str = "Ann"
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    state: int = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE
    track_publications: dict[str, FakePublication] = field(
        default_factory=dict[str, FakePublication]
    )

    def __call__(self) -> rtc.RemoteParticipant:
        """Pass for LiveKit's class, which only its own library can make."""
        return cast("rtc.RemoteParticipant", self)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (STANDARD, True),
        (Kind.PARTICIPANT_KIND_SIP, True),
        (Kind.PARTICIPANT_KIND_INGRESS, True),
        (Kind.PARTICIPANT_KIND_AGENT, False),
        (Kind.PARTICIPANT_KIND_EGRESS, False),
    ],
)
def test_agents_and_recorders_are_no_people(kind: int, expected: bool) -> None:
    """A phone and a stream brought in are people; what works for the room is not."""
    assert is_person(FakeParticipant(kind)()) is expected


@pytest.mark.parametrize(
    ("kind", "source", "participant", "expected"),
    [
        (rtc.TrackKind.KIND_AUDIO, rtc.TrackSource.SOURCE_MICROPHONE, STANDARD, True),
        (rtc.TrackKind.KIND_AUDIO, rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO, STANDARD, False),
        (rtc.TrackKind.KIND_AUDIO, rtc.TrackSource.SOURCE_UNKNOWN, STANDARD, False),
        (rtc.TrackKind.KIND_VIDEO, rtc.TrackSource.SOURCE_CAMERA, STANDARD, False),
        (rtc.TrackKind.KIND_VIDEO, rtc.TrackSource.SOURCE_MICROPHONE, STANDARD, False),
        (
            rtc.TrackKind.KIND_AUDIO,
            rtc.TrackSource.SOURCE_MICROPHONE,
            Kind.PARTICIPANT_KIND_AGENT,
            False,
        ),
    ],
)
def test_only_a_person_s_microphone_is_listened_to(
    kind: int, source: int, participant: int, expected: bool
) -> None:
    """Neither what a screen plays nor what another agent says is interpreted."""
    publication = cast("rtc.RemoteTrackPublication", FakePublication(kind, source))

    assert is_microphone(publication, FakeParticipant(participant)()) is expected


@pytest.mark.parametrize(
    ("said", "speak", "listen"),
    [
        ({}, None, None),
        ({"palabra.speak": "en", "palabra.listen": "es"}, "en", "es"),
        ({"language": "de"}, "de", "de"),
        ({"language": "de", "palabra.listen": "original"}, "de", "original"),
        ({"language": "de", "palabra.speak": "auto"}, "auto", "de"),
        ({"language": "", "palabra.speak": "", "palabra.listen": ""}, None, None),
        ({"language": "de", "palabra.speak": "", "palabra.listen": ""}, "de", "de"),
    ],
)
def test_attributes_say_what_somebody_wants(
    said: dict[str, str], speak: str | None, listen: str | None
) -> None:
    """Our own names count, LiveKit's stands in for whichever is absent; empty is absent."""
    microphone = FakeSound()

    assert describe(FakeParticipant(attributes=said)(), microphone) == Person(
        "ann", "Ann", speak, listen, microphone, attributes=said
    )


def test_texts_reach_those_who_have_joined() -> None:
    """LiveKit keeps no text for a participant who is still joining."""
    joining = rtc.ParticipantState.PARTICIPANT_STATE_JOINED

    assert describe(FakeParticipant()(), None).is_reachable
    assert not describe(FakeParticipant(state=joining)(), None).is_reachable


def test_who_has_no_name_is_called_by_identity() -> None:
    """Nobody is shown without a name."""
    assert describe(FakeParticipant(name="")(), None) == Person("ann", "ann")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bob\nAlice: I agree", "Bob Alice: I agree"),
        ("\u202eBob\x1b[31m", "Bob"),
        ("\u200b", "ann"),
        ("B" * 1000, "B" * 59 + "…"),
    ],
)
def test_a_name_is_one_short_line(name: str, expected: str) -> None:
    """A name puts no words into the mouths of others, in chat, plugins or files."""
    assert describe(FakeParticipant(name=name)(), None).name == expected


@pytest.mark.parametrize(
    ("muted", "heard", "expected"),
    [
        ({}, None, False),
        ({"TR_mic": False}, "TR_mic", False),
        ({"TR_mic": True}, "TR_mic", True),
        ({"TR_mic": True}, None, False),
        ({"TR_old": True, "TR_mic": False}, "TR_mic", False),
        ({"TR_old": False, "TR_mic": True}, "TR_mic", True),
        ({"TR_old": True}, "TR_mic", False),
    ],
)
def test_the_microphone_that_is_heard_says_who_is_muted(
    muted: dict[str, bool], heard: str | None, expected: bool
) -> None:
    """It does not matter what another track of theirs is."""
    published = {sid: FakePublication(sid=sid, muted=is_muted) for sid, is_muted in muted.items()}
    microphone = FakeSound(heard) if heard is not None else None

    person = describe(FakeParticipant(track_publications=published)(), microphone)

    assert person.is_muted is expected


def test_the_memory_is_of_those_before_everybody_vanished() -> None:
    """People who went one by one within a moment before we did are remembered, others are not."""
    alice, bruno, clara = (Person(name, name) for name in ("alice", "bruno", "clara"))
    memory = PeopleMemory()
    memory.note((alice, bruno, clara), 0.0)
    memory.note((alice, bruno), 5.0)
    assert memory.before_we_left(9.0) == (alice, bruno)

    memory.note((alice, bruno), 10.0)
    memory.note((alice,), 20.0)
    memory.note((), 20.01)

    assert memory.before_we_left(20.02) == (alice, bruno)
    assert memory.before_we_left(25.0) == (alice, bruno)
