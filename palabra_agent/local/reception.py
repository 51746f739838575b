"""A simulated person's reception: LiveKit's events made into recordings, captions, chat, numbers.

This module alone knows the life of a subscription: a track is listened to from `track_subscribed`
until `track_unsubscribed`, and anew when the same track is subscribed to again, because a stream
that is kept over that may go on with another track's sound.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from livekit import rtc

from palabra_agent.audio.rtc import RemoteAudio
from palabra_agent.local.recording import Recording
from palabra_agent.meeting.livekit_names import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_CHAT,
    TOPIC_TRANSCRIPTION,
)
from palabra_agent.meeting.texts import STATUS_TOPIC

_INBOX_LENGTH: Final = 1000
_KEPT_TEXTS: Final = 1000
_READ_SECONDS: Final = 30.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedCaption:
    """One version of one caption; a later one with the same segment id replaces it."""

    segment_id: str
    speaker: str
    """Identity in whose name it was sent."""
    text: str
    language: str
    is_final: bool
    is_translated: bool
    track_id: str
    """The track that it belongs to: a microphone or a channel."""
    at: float
    """The time at which it had been read, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class ReceivedChat:
    """One message in the chat."""

    sender: str
    """Identity of its sender."""
    text: str
    kind: str
    """`transcription` or `translation`; empty for what people and the agent itself write."""
    speaker: str
    """Identity of the speaker, for the two kinds."""
    language: str
    transcription_id: str
    at: float
    """The time at which it had been read, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class _Subscribed:
    track: rtc.Track
    name: str


@dataclass(frozen=True, slots=True)
class _Unsubscribed:
    sid: str


@dataclass(frozen=True, slots=True)
class _Written:
    reader: rtc.TextStreamReader
    sender: str
    topic: str


_Event: TypeAlias = _Subscribed | _Unsubscribed | _Written


class Reception:
    """Listens and reads, from before the room is joined until `listen` is cancelled."""

    def __init__(self, room: rtc.Room, hears: Callable[[str], bool]) -> None:
        self.captions: deque[ReceivedCaption] = deque(maxlen=_KEPT_TEXTS)
        self.chat: deque[ReceivedChat] = deque(maxlen=_KEPT_TEXTS)
        self.statuses: deque[dict[str, int]] = deque(maxlen=_KEPT_TEXTS)
        self._recordings: dict[str, Recording] = {}
        self._subscribed: dict[str, _Subscribed] = {}
        """By track id; LiveKit may take back a track and give it anew before we listen to it."""
        self._changed = asyncio.Event()
        self._inbox: asyncio.Queue[_Event] = asyncio.Queue(_INBOX_LENGTH)
        self._hears = hears
        self._register(room)

    @property
    def tracks(self) -> frozenset[str]:
        """Names of the tracks that are subscribed to now."""
        return frozenset(it.name for it in self._subscribed.values())

    def recording(self, track: str) -> Recording:
        """The sound that was heard on a track of this name."""
        return self._recordings.setdefault(track, Recording())

    async def wait_for_change(self) -> None:
        """Wait until something was heard, read or seen."""
        await self._changed.wait()

    async def listen(self) -> None:
        """Take in whatever comes, until cancelled."""
        listening: dict[str, asyncio.Task[None]] = {}

        async with asyncio.TaskGroup() as group:
            while True:
                match await self._inbox.get():
                    case _Subscribed(track, name) as it if it is self._subscribed.get(track.sid):
                        _stop(listening, track.sid)
                        listening[track.sid] = group.create_task(
                            self._record(track, name), name=f"hear:{name}"
                        )
                    case _Subscribed():
                        pass  # taken back meanwhile
                    case _Unsubscribed(sid):
                        _stop(listening, sid)
                    case _Written(reader, sender, topic):
                        group.create_task(self._read(reader, sender, topic), name=f"read:{topic}")

    async def _record(self, track: rtc.Track, name: str) -> None:
        recording = self.recording(name)
        async with RemoteAudio(track).open_frames() as frames:
            async for frame in frames:
                recording.add(frame.samples, time.monotonic())
                self._notify()

    async def _read(self, reader: rtc.TextStreamReader, sender: str, topic: str) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                text = await reader.read_all()
        except (TimeoutError, rtc.StreamError):
            logger.debug("a text stream was given up", extra={"topic": topic})
            return

        attributes, now = reader.info.attributes or {}, time.monotonic()
        if topic == TOPIC_TRANSCRIPTION:
            self.captions.append(_caption(text, sender, attributes, now))
        elif topic == STATUS_TOPIC:
            self.statuses.append(json.loads(text))
        else:
            self.chat.append(_chat_message(text, sender, attributes, now))
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _put(self, event: _Event) -> None:
        try:
            self._inbox.put_nowait(event)
        except asyncio.QueueFull:
            logger.warning("a simulated person has too much to take in")

    def _register(self, room: rtc.Room) -> None:
        """Ask LiveKit to tell; its callbacks only put events into the inbox."""
        for topic in (TOPIC_TRANSCRIPTION, TOPIC_CHAT, STATUS_TOPIC):
            room.register_text_stream_handler(topic, self._reading(topic))

        room.on("track_subscribed", self._on_subscribed)
        room.on("track_unsubscribed", self._on_unsubscribed)
        for event in (
            "participant_connected",
            "participant_active",
            "participant_disconnected",
            "participant_attributes_changed",
            "track_published",
            "track_unpublished",
            "track_muted",
            "track_unmuted",
            "disconnected",
        ):
            room.on(event, self._on_anything)

    def _reading(self, topic: str) -> Callable[[rtc.TextStreamReader, str], None]:
        return lambda reader, sender: self._put(_Written(reader, sender, topic))

    def _on_subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        subscribed = self._subscribed[track.sid] = _Subscribed(track, publication.name)
        if track.kind == rtc.TrackKind.KIND_AUDIO and self._hears(publication.name):
            self._put(subscribed)
        self._notify()

    def _on_unsubscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        self._subscribed.pop(track.sid, None)
        self._put(_Unsubscribed(track.sid))
        self._notify()

    def _on_anything(self, *facts: object) -> None:
        self._notify()


def _stop(listening: dict[str, asyncio.Task[None]], sid: str) -> None:
    task = listening.pop(sid, None)
    if task is not None:
        task.cancel()


def _caption(text: str, sender: str, attributes: Mapping[str, str], at: float) -> ReceivedCaption:
    """Understand a text stream on the caption topic."""
    return ReceivedCaption(
        segment_id=attributes.get(ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID, ""),
        speaker=sender,
        text=text,
        language=attributes.get("language", ""),
        is_final=attributes.get(ATTRIBUTE_TRANSCRIPTION_FINAL) == "true",
        is_translated=attributes.get("translated") == "true",
        track_id=attributes.get(ATTRIBUTE_TRANSCRIPTION_TRACK_ID, ""),
        at=at,
    )


def _chat_message(text: str, sender: str, attributes: Mapping[str, str], at: float) -> ReceivedChat:
    """Understand a text stream on the chat topic."""
    return ReceivedChat(
        sender=sender,
        text=text,
        kind=attributes.get("palabra.kind", ""),
        speaker=attributes.get("palabra.speaker", ""),
        language=attributes.get("language", ""),
        transcription_id=attributes.get("palabra.transcription_id", ""),
        at=at,
    )
