"""The people of a LiveKit room: what they ask for, and who was there before we lost sight."""

from __future__ import annotations

import math
from typing import Final

from livekit import rtc

from palabra_agent.interpretation.ports import EncryptionProblem, Microphone, Person
from palabra_agent.meeting.phones import is_phone
from palabra_agent.texts import shown_name

SPEAK_ATTRIBUTE: Final = "palabra.speak"
LISTEN_ATTRIBUTE: Final = "palabra.listen"
LANGUAGE_ATTRIBUTE: Final = "language"
"""LiveKit's own convention; stands in for either of the two others where it is absent."""

_MOMENT_SECONDS: Final = 0.5


class PeopleMemory:
    """Remembers who was there before we lost the room. Times are in seconds.

    LiveKit says that all participants left a moment before it says that we are reconnecting, so
    what was seen last is not what was true last.
    """

    def __init__(self) -> None:
        self._now: tuple[Person, ...] = ()
        self._before: tuple[Person, ...] = ()
        self._shrank_at = -math.inf

    def note(self, people: tuple[Person, ...], now: float) -> None:
        """Take in who is there."""
        if len(people) < len(self._now):
            if now - self._shrank_at > _MOMENT_SECONDS:
                self._before = self._now
            self._shrank_at = now

        self._now = people

    def before_we_left(self, now: float) -> tuple[Person, ...]:
        """The people who were there a moment before now."""
        if now - self._shrank_at <= _MOMENT_SECONDS:
            self._now, self._shrank_at = self._before, -math.inf

        return self._now


def describe(
    participant: rtc.RemoteParticipant,
    microphone: Microphone | None,
    encryption_problem: EncryptionProblem | None = None,
) -> Person:
    """See a participant as a person."""
    said = participant.attributes
    language = said.get(LANGUAGE_ATTRIBUTE) or None
    return Person(
        identity=participant.identity,
        name=shown_name(participant.name, participant.identity),
        speak=said.get(SPEAK_ATTRIBUTE) or language,
        listen=said.get(LISTEN_ATTRIBUTE) or language,
        microphone=microphone,
        is_muted=_is_muted(participant, microphone),
        encryption_problem=encryption_problem,
        is_reachable=participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE,
        is_phone=is_phone(participant),
        connection=participant.sid,
        attributes=dict(said),
    )


def _is_muted(participant: rtc.RemoteParticipant, microphone: Microphone | None) -> bool:
    published = participant.track_publications
    heard = published.get(microphone.track_sid) if microphone is not None else None
    return heard is not None and heard.muted
