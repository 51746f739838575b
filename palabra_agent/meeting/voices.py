"""The microphones of a room: which of them are listened to, and how that is asked of LiveKit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from livekit import rtc

from palabra_agent.interpretation.ports import Microphone
from palabra_agent.meeting.people import LiveKitMicrophone, is_voice

_CHANGES: Final[tuple[rtc.room.EventTypes, ...]] = (
    "track_muted",
    "track_unmuted",
    "track_unpublished",
)
"""Events that are read from the publications when somebody looks."""


class Voices:
    """Subscribes to people's microphones and keeps those that can be heard."""

    def __init__(self, room: rtc.Room, on_change: Callable[[], None], *, listens: bool) -> None:
        self._room = room
        self._tell = on_change
        self._listens = listens
        self._microphones: dict[str, LiveKitMicrophone] = {}
        self.callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            **dict.fromkeys(_CHANGES, self._on_change),
            "track_published": self._on_track_published,
            "track_subscribed": self._on_track_subscribed,
            "track_unsubscribed": self._on_track_unsubscribed,
        }
        """What the room must call, by event."""

    def subscribe_to_all(self) -> None:
        """Ask for every voice that is not subscribed to.

        LiveKit forgets a subscription that is asked for while it reconnects.
        """
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._on_track_published(publication, participant)

    def microphone_of(self, participant: rtc.RemoteParticipant) -> LiveKitMicrophone | None:
        """Somebody's microphone, once it can be heard."""
        subscribed = (self._microphones.get(sid) for sid in participant.track_publications)
        return next((microphone for microphone in subscribed if microphone is not None), None)

    def has(self, microphone: Microphone | None) -> bool:
        """Whether a microphone is one that can be heard now."""
        return any(microphone is ours for ours in self._microphones.values())

    def _on_change(self, *_: object) -> None:
        self._tell()

    def _on_track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_wanted = self._listens and is_voice(publication, participant)
        if is_wanted and not publication.subscribed:
            publication.set_subscribed(True)

        self._tell()

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        if is_voice(publication, participant):
            self._microphones[publication.sid] = LiveKitMicrophone(track, publication.sid)
            self._tell()

    def _on_track_unsubscribed(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        self._microphones.pop(publication.sid, None)
        self._tell()
