"""The people of a LiveKit room: who is one, what they ask for, and their microphones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.interpretation.ports import Microphone, Person
from palabra_agent.texts import shown_name

SPEAK_ATTRIBUTE: Final = "palabra.speak"
LISTEN_ATTRIBUTE: Final = "palabra.listen"
LANGUAGE_ATTRIBUTE: Final = "language"
"""LiveKit's own convention; stands in for either of the two others where it is absent."""

_MOMENT_SECONDS: Final = 0.5
_NOT_PEOPLE: Final = frozenset(
    {rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS}
)
_TRACK_CHANGES: Final[tuple[rtc.room.EventTypes, ...]] = (
    "track_muted",
    "track_unmuted",
    "track_unpublished",
)
"""Events after which the publications must be read again."""


class LiveKitMicrophone(RemoteAudio):
    """A subscribed microphone track."""

    def __init__(self, track: rtc.Track, track_sid: str) -> None:
        super().__init__(track)
        self._track_sid = track_sid

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the track."""
        return self._track_sid


class Microphones:
    """Subscribes to people's microphones and keeps those that can be heard."""

    def __init__(self, room: rtc.Room, on_change: Callable[[], None], *, listens: bool) -> None:
        self._room = room
        self._on_change = on_change
        self._listens = listens
        self._heard: dict[str, LiveKitMicrophone] = {}
        """By track id."""
        self.callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            **dict.fromkeys(_TRACK_CHANGES, self._on_track_changed),
            "track_published": self._on_track_published,
            "track_subscribed": self._on_track_subscribed,
            "track_unsubscribed": self._on_track_unsubscribed,
        }
        """Must be called by the room, by event."""

    def subscribe_to_all(self) -> None:
        """Ask for every microphone that is not subscribed to.

        LiveKit forgets a subscription that is asked for while it reconnects.
        """
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_track_published(publication, participant)

    def microphone_of(self, participant: rtc.RemoteParticipant) -> LiveKitMicrophone | None:
        """The participant's microphone, once it can be heard."""
        subscribed = (self._heard.get(sid) for sid in participant.track_publications)
        return next((microphone for microphone in subscribed if microphone is not None), None)

    def has(self, microphone: Microphone | None) -> bool:
        """Tell whether a microphone can be heard now."""
        return any(microphone is ours for ours in self._heard.values())

    def _on_track_changed(self, *_: object) -> None:
        self._on_change()

    def _on_track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_wanted = self._listens and is_microphone(publication, participant)
        if is_wanted and not publication.subscribed:
            publication.set_subscribed(True)

        self._on_change()

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if is_microphone(publication, participant):
            self._heard[publication.sid] = LiveKitMicrophone(track, publication.sid)
            self._on_change()

    def _on_track_unsubscribed(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        self._heard.pop(publication.sid, None)
        self._on_change()


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


def is_person(participant: rtc.RemoteParticipant) -> bool:
    """Tell whether a participant may be interpreted and addressed: no agent, no recorder."""
    return participant.kind not in _NOT_PEOPLE


def is_microphone(
    publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
) -> bool:
    """Tell whether a track is a person's microphone; screens' sound and other agents are not."""
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
        name=shown_name(participant.name, participant.identity),
        speak=said.get(SPEAK_ATTRIBUTE) or language,
        listen=said.get(LISTEN_ATTRIBUTE) or language,
        microphone=microphone,
        is_muted=_is_muted(participant, microphone),
        is_reachable=participant.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE,
        attributes=dict(said),
    )


def _is_muted(participant: rtc.RemoteParticipant, microphone: Microphone | None) -> bool:
    published = participant.track_publications
    heard = published.get(microphone.track_sid) if microphone is not None else None
    return heard is not None and heard.muted
