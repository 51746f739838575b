"""Who in a LiveKit room is a person, which of their tracks is a voice, what they ask for."""

from __future__ import annotations

from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.interpretation.ports import Microphone, Person

SPEAK_ATTRIBUTE: Final = "palabra.speak"
LISTEN_ATTRIBUTE: Final = "palabra.listen"
LANGUAGE_ATTRIBUTE: Final = "language"
"""LiveKit's own convention; stands in for whichever of the two others is absent."""

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
    )
