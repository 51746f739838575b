"""Who in a LiveKit room is a person, which of their tracks is a voice, what they ask for."""

from __future__ import annotations

import math
from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.interpretation.ports import Microphone, Person

SPEAK_ATTRIBUTE: Final = "palabra.speak"
LISTEN_ATTRIBUTE: Final = "palabra.listen"
LANGUAGE_ATTRIBUTE: Final = "language"
"""LiveKit's own convention; stands in for whichever of the two others is absent."""

_MOMENT_SECONDS: Final = 0.5
_NOT_PEOPLE: Final = frozenset(
    {rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS}
)


class LiveKitMicrophone(RemoteAudio):
    """A subscribed microphone track."""

    def __init__(self, track: rtc.Track, track_sid: str) -> None:
        super().__init__(track)
        self._track_sid = track_sid

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the track."""
        return self._track_sid


class PeopleMemory:
    """Who was there before we lost the room.

    LiveKit says that everybody left a moment before it says that we are reconnecting, so what was
    seen last is not what was true last. Times are in seconds.
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
        """Who was there a moment before now."""
        if now - self._shrank_at <= _MOMENT_SECONDS:
            self._now, self._shrank_at = self._before, -math.inf

        return self._now


def is_person(participant: rtc.RemoteParticipant) -> bool:
    """Whether somebody may be interpreted and addressed: no agent, no recorder."""
    return participant.kind not in _NOT_PEOPLE


def is_voice(publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> bool:
    """Whether a track is a person's microphone; screens' sound and other agents are not."""
    return (
        publication.kind == rtc.TrackKind.KIND_AUDIO
        and publication.source == rtc.TrackSource.SOURCE_MICROPHONE
        and is_person(participant)
    )


def describe(participant: rtc.RemoteParticipant, microphone: Microphone | None) -> Person:
    """See a participant as a person."""
    said = participant.attributes
    language = said.get(LANGUAGE_ATTRIBUTE) or None
    return Person(
        identity=participant.identity,
        name=participant.name or participant.identity,
        speak=said.get(SPEAK_ATTRIBUTE) or language,
        listen=said.get(LISTEN_ATTRIBUTE) or language,
        microphone=microphone,
        is_muted=_is_muted(participant, microphone),
        attributes=dict(said),
    )


def _is_muted(participant: rtc.RemoteParticipant, microphone: Microphone | None) -> bool:
    published = participant.track_publications
    heard = published.get(microphone.track_sid) if microphone is not None else None
    return heard is not None and heard.muted
