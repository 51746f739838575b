"""What a person asks for, whether they are muted, and who was there."""

from __future__ import annotations

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import Person
from palabra_agent.meeting.people import PeopleMemory, describe
from tests.fakes import FakeSound
from tests.meeting.fake_people import FakeParticipant, FakePublication

pytestmark = pytest.mark.unit


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
        "ann", "Ann", speak, listen, microphone, connection="PA_ann", attributes=said
    )


def test_texts_reach_those_who_have_joined() -> None:
    """LiveKit keeps no text for a participant who is still joining."""
    joining = rtc.ParticipantState.PARTICIPANT_STATE_JOINED

    assert describe(FakeParticipant()(), None).is_reachable
    assert not describe(FakeParticipant(state=joining)(), None).is_reachable


def test_who_has_no_name_is_called_by_identity() -> None:
    """Nobody is shown without a name."""
    assert describe(FakeParticipant(name="")(), None) == Person("ann", "ann", connection="PA_ann")


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
