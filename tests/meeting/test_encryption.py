"""Whose sound can be decrypted, and what is said of those whose cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import EncryptionProblem
from palabra_agent.meeting.encryption import Decryption, encryption_with
from tests.meeting.fake_people import FakeParticipant, FakePublication

pytestmark = pytest.mark.unit

State = rtc.EncryptionState
ENCRYPTED = FakePublication(encryption_type=rtc.EncryptionType.GCM)
PLAIN = FakePublication()


@dataclass
class FakeManager:
    """LiveKit's own, which knows whether the room was joined with a key."""

    enabled: bool


@dataclass
class FakeRoom:
    """A room that was joined with a key, or without."""

    e2ee_manager: FakeManager


@dataclass
class Room:
    """A room in which Ann speaks."""

    has_key: bool
    changes: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        """Follow it."""
        room = cast("rtc.Room", FakeRoom(FakeManager(self.has_key)))
        self.decryption = Decryption(room, lambda: self.changes.append("changed"))

    def tell(self, state: int, participant: FakeParticipant | None = None) -> None:
        """Let LiveKit tell what became of Ann's sound, or another's."""
        self.decryption.callbacks["e2ee_state_changed"](participant or FakeParticipant(), state)

    def said_of(self, track: FakePublication) -> tuple[str, EncryptionProblem | None]:
        """What is told of a track of Ann's, and what is said in the room."""
        facts = track(), FakeParticipant()()
        return self.decryption.objection_to(*facts), self.decryption.problem_with(*facts)


def test_an_encrypted_track_is_no_use_without_a_key() -> None:
    """It is not even asked for; one that is not encrypted is heard as ever."""
    room = Room(has_key=False)

    assert room.decryption.is_impossible(ENCRYPTED())
    assert not room.decryption.is_impossible(PLAIN())
    assert room.said_of(PLAIN) == ("", None)
    assert room.said_of(ENCRYPTED) == (
        "it is encrypted, and the interpreter has no key",
        EncryptionProblem.NO_KEY,
    )


def test_an_encrypted_track_is_heard_when_it_was_decrypted() -> None:
    """Until then it may be noise."""
    room = Room(has_key=True)
    assert not room.decryption.is_impossible(ENCRYPTED())
    assert room.said_of(ENCRYPTED) == ("it is encrypted, and none of it was decrypted yet", None)

    room.tell(State.NEW)
    assert room.changes == []
    room.tell(State.OK)
    assert room.changes == ["changed"]
    assert room.said_of(ENCRYPTED) == ("", None)


@pytest.mark.parametrize("state", [State.DECRYPTION_FAILED, State.MISSING_KEY])
def test_another_key_is_told_until_it_is_ours(state: int) -> None:
    """Who comes back is another participant, of whom nothing is known."""
    room = Room(has_key=True)
    room.tell(state)

    assert room.said_of(ENCRYPTED) == (
        "it is encrypted with another key than the interpreter's",
        EncryptionProblem.OTHER_KEY,
    )
    room.tell(State.OK, FakeParticipant(sid="PA_ann_again"))
    assert room.said_of(ENCRYPTED)[1] is EncryptionProblem.OTHER_KEY
    room.tell(State.OK)
    assert room.said_of(ENCRYPTED) == ("", None)


def test_who_is_not_encrypted_among_those_who_are_is_heard() -> None:
    """And cannot hear us, which is said."""
    assert Room(has_key=True).said_of(PLAIN) == ("", EncryptionProblem.NOT_ENCRYPTED)


def test_a_participant_who_has_left_is_of_no_interest() -> None:
    """LiveKit tells of them as of none."""
    room = Room(has_key=True)
    room.decryption.callbacks["e2ee_state_changed"](None, State.OK)

    assert room.changes == []


def test_the_passphrase_is_what_other_sdks_are_given() -> None:
    """As UTF-8, with the salt that they all have, and found out quickly where it is another."""
    options = encryption_with("grüezi").key_provider_options

    assert options.shared_key == "grüezi".encode()
    assert options.ratchet_salt == b"LKFrameEncryptionKey"
    assert options.key_derivation_function == rtc.KeyDerivationFunction.PBKDF2
    assert options.failure_tolerance > 0
