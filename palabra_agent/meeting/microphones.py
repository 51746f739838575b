"""People's microphones in a LiveKit room: which tracks count as one, and the one that is heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from livekit import rtc

from palabra_agent.audio.frame import Frame
from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.ports import EncryptionProblem, Microphone
from palabra_agent.meeting.encryption import Decryption
from palabra_agent.meeting.microphone_choice import MicrophoneChoice

_NOT_PEOPLE: Final = frozenset(
    {rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS}
)
_TRACK_CHANGES: Final[tuple[rtc.room.EventTypes, ...]] = (
    "track_muted",
    "track_unmuted",
    "track_unpublished",
)
"""Events after which the publications must be read again."""

_SOURCES: Final[Mapping[rtc.TrackSource.ValueType, str]] = {
    rtc.TrackSource.SOURCE_MICROPHONE: "microphone",
    rtc.TrackSource.SOURCE_SCREENSHARE_AUDIO: "screen_share_audio",
}
"""Names of the sources that sound has; with any other its source is unknown."""

_UNKNOWN: Final = "unknown"
_QUEUE_FRAMES: Final = 50
"""Frames that may wait for the one who listens to a person's microphone; then the tracks wait."""


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """One of a participant's audio tracks, and whether it is listened to."""

    track_sid: str
    source: str
    """As the room config names it."""
    objection: str = ""
    """The reason why it is not listened to; empty where it is."""


class MicrophoneTrack(RemoteAudio):
    """A subscribed track that a person speaks into."""

    def __init__(self, track: rtc.Track, track_sid: str) -> None:
        super().__init__(track)
        self._track_sid = track_sid

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the track."""
        return self._track_sid


class LiveMicrophone:
    """A person's microphone: the live one of the tracks that they may speak into."""

    def __init__(self) -> None:
        self._tracks = Watched[tuple[Microphone, ...]](())
        self._choice = MicrophoneChoice()
        self._is_listened_to = False

    @property
    def track_sid(self) -> str:
        """LiveKit's id of the live track; the first one is live until another is spoken into."""
        sids = [track.track_sid for track in self._tracks.value]
        return self._choice.live if self._choice.live in sids else sids[0]

    @property
    def tracks(self) -> tuple[Microphone, ...]:
        """The tracks that there are now."""
        return self._tracks.value

    def follow(self, tracks: tuple[Microphone, ...]) -> None:
        """Have these tracks from now on, at least one, the likeliest first."""
        self._tracks.set(tracks)

    @asynccontextmanager
    async def open_frames(self) -> AsyncGenerator[AsyncIterator[Frame]]:
        """Listen to the live track, whichever that is.

        One listener decides which that is; another one beside it hears that for itself.
        """
        heard = asyncio.Queue[Frame](_QUEUE_FRAMES)
        is_first = not self._is_listened_to
        choice = self._choice if is_first else MicrophoneChoice()
        self._is_listened_to = True
        try:
            async with asyncio.TaskGroup() as group:
                reading = group.create_task(
                    self._read_tracks(choice, heard), name="read microphones"
                )
                try:
                    yield _frames(heard)
                finally:
                    reading.cancel()
        finally:
            self._is_listened_to = not is_first and self._is_listened_to

    async def _read_tracks(self, choice: MicrophoneChoice, heard: asyncio.Queue[Frame]) -> None:
        reading: dict[Microphone, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            async for tracks in self._tracks.changes():
                for gone in reading.keys() - set(tracks):
                    reading.pop(gone).cancel()

                late = choice.follow([track.track_sid for track in tracks])
                for track in tracks:
                    if track not in reading:
                        reading[track] = group.create_task(self._read(choice, track, heard))

                await _put(late, heard)

    async def _read(
        self, choice: MicrophoneChoice, track: Microphone, heard: asyncio.Queue[Frame]
    ) -> None:
        now = asyncio.get_running_loop().time
        async with track.open_frames() as frames:
            async for frame in frames:
                await _put(choice.hear(track.track_sid, frame, now()), heard)


async def _put(passed_on: Iterable[Frame], heard: asyncio.Queue[Frame]) -> None:
    for frame in passed_on:
        await heard.put(frame)


async def _frames(heard: asyncio.Queue[Frame]) -> AsyncIterator[Frame]:
    while True:
        yield await heard.get()


class Microphones:
    """Subscribes to people's microphones and keeps those that can be heard."""

    def __init__(
        self, room: rtc.Room, on_change: Callable[[], None], sources: Collection[str]
    ) -> None:
        """Follow a room, once its events are told to `callbacks`.

        Args:
            room: Connected, without automatic subscriptions.
            on_change: Called where the microphones may be others than before.
            sources: Of the tracks that count as microphones; none, to listen to no one.
        """
        self._room = room
        self._on_change = on_change
        self._sources = sources
        self._decryption = Decryption(room, on_change)
        self._tracks: dict[str, MicrophoneTrack] = {}
        """Those that are subscribed to, by track id."""
        self._microphones: dict[str, LiveMicrophone] = {}
        """By the person's identity."""
        self.callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            **dict.fromkeys(_TRACK_CHANGES, self._on_track_changed),
            **self._decryption.callbacks,
            "track_published": self._on_track_published,
            "track_subscribed": self._on_track_subscribed,
            "track_unsubscribed": self._on_track_unsubscribed,
        }
        """Must be called by the room, by event."""

    def follow(self, sources: Collection[str]) -> None:
        """Listen to tracks of these sources from now on."""
        self._sources = sources
        self.subscribe_to_all()
        self._on_change()

    def subscribe_to_all(self) -> None:
        """Ask for every microphone that is not subscribed to, and for no other track.

        LiveKit forgets a subscription that is asked for while it reconnects.
        """
        for participant in self._room.remote_participants.values():
            for publication in participant.track_publications.values():
                self._subscribe(publication, participant)

    def of(self, participants: Iterable[rtc.RemoteParticipant]) -> Mapping[str, LiveMicrophone]:
        """The microphones of those who have one that can be heard, by identity, as of now."""
        heard = {who.identity: tracks for who in participants if (tracks := self._tracks_of(who))}
        self._microphones = {
            identity: self._microphones.get(identity) or LiveMicrophone() for identity in heard
        }
        for identity, tracks in heard.items():
            self._microphones[identity].follow(tracks)

        return self._microphones

    def has(self, microphone: Microphone | None) -> bool:
        """Tell whether a microphone can be heard now."""
        return any(
            microphone is ours and not set(ours.tracks).isdisjoint(self._tracks.values())
            for ours in self._microphones.values()
        )

    def sounds_of(self, identity: str) -> tuple[SoundTrack, ...] | None:
        """The audio tracks of a participant; None where there is no such participant."""
        participant = self._room.remote_participants.get(identity)
        if participant is None:
            return None

        return tuple(
            SoundTrack(it.sid, source_of(it), self._why_not_heard(it, participant))
            for it in participant.track_publications.values()
            if it.kind == rtc.TrackKind.KIND_AUDIO
        )

    def encryption_problem_of(self, participant: rtc.RemoteParticipant) -> EncryptionProblem | None:
        """What encryption puts between a participant and the interpreter."""
        problems = (
            self._decryption.problem_with(publication, participant)
            for publication in participant.track_publications.values()
            if not objection_to(publication, participant, self._sources)
        )
        return next(filter(None, problems), None)

    def _tracks_of(self, participant: rtc.RemoteParticipant) -> tuple[MicrophoneTrack, ...]:
        """The tracks that a person may be speaking into, the likeliest first.

        Muted ones are among them only where all are muted.
        """
        subscribed = [
            publication
            for sid, publication in participant.track_publications.items()
            if sid in self._tracks
            and not objection_to(publication, participant, self._sources)
            and not self._decryption.objection_to(publication, participant)
        ]
        unmuted = [publication for publication in subscribed if not publication.muted]
        likeliest = sorted(unmuted or subscribed, key=lambda it: source_of(it) != "microphone")
        return tuple(self._tracks[publication.sid] for publication in likeliest)

    def _why_not_heard(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> str:
        if objection := (
            objection_to(publication, participant, self._sources)
            or self._decryption.objection_to(publication, participant)
        ):
            return objection

        if publication.sid not in self._tracks:
            return "it is not subscribed to yet"

        microphone = self._microphones.get(participant.identity)
        if microphone is not None and microphone.track_sid == publication.sid:
            return ""

        return "it is muted" if publication.muted else "another microphone of theirs is live"

    def _on_track_changed(self, *_: object) -> None:
        self._on_change()

    def _on_track_published(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        self._subscribe(publication, participant)
        self._on_change()

    def _subscribe(
        self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant
    ) -> None:
        is_wanted = not (
            objection_to(publication, participant, self._sources)
            or self._decryption.is_impossible(publication)
        )
        if is_wanted != publication.subscribed:
            publication.set_subscribed(is_wanted)

    def _on_track_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        _participant: rtc.RemoteParticipant,
    ) -> None:
        if publication.kind == rtc.TrackKind.KIND_AUDIO:
            self._tracks[publication.sid] = MicrophoneTrack(track, publication.sid)
            self._on_change()

    def _on_track_unsubscribed(
        self, _track: rtc.Track, publication: rtc.RemoteTrackPublication, *_: object
    ) -> None:
        self._tracks.pop(publication.sid, None)
        self._on_change()


def is_person(participant: rtc.RemoteParticipant) -> bool:
    """Tell whether a participant may be interpreted and addressed: no agent, no recorder."""
    return participant.kind not in _NOT_PEOPLE


def source_of(publication: rtc.RemoteTrackPublication) -> str:
    """The source of an audio track, as the room config names it."""
    return _SOURCES.get(publication.source, _UNKNOWN)


def objection_to(
    publication: rtc.RemoteTrackPublication,
    participant: rtc.RemoteParticipant,
    sources: Collection[str],
) -> str:
    """The reason why a track does not count as a microphone; empty where it does.

    Args:
        publication: The track.
        participant: Has published it.
        sources: Of those that count.
    """
    if publication.kind != rtc.TrackKind.KIND_AUDIO:
        return "it is no sound"

    if not is_person(participant):
        return "it is not a person's"

    source = source_of(publication)
    return "" if source in sources else f"its source is {source}, not {' or '.join(sources)}"
