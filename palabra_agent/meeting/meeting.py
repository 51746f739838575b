"""The LiveKit room of a meeting behind the interpretation's port.

Callbacks of the room only say that something changed; the view is then read from the room as a
whole, so no order of events can leave it wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import Final

from livekit import rtc

from palabra_agent.audio.pcm import Pcm
from palabra_agent.audio.rtc import AudioOutput, is_up, microphone_options
from palabra_agent.concurrency import Watched, complete_or_undo
from palabra_agent.errors import MeetingError
from palabra_agent.interpretation.ports import ChatMessage, MeetingView, Person, RoomStatus
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.attributes import InterpreterAttributes
from palabra_agent.meeting.chat import open_chat
from palabra_agent.meeting.microphones import Microphones, SoundTrack, is_person
from palabra_agent.meeting.people import PeopleMemory, describe
from palabra_agent.meeting.permissions import Audiences, Subscriptions, TrackPermissions
from palabra_agent.meeting.phones import SparedMicrophones
from palabra_agent.meeting.texts import TextSender

_PUBLISH_SECONDS: Final = 10.0
_REFUSALS: Final = 2
"""So many failures in a row, while we are connected, are the room's answer."""
_UNPUBLISH_SECONDS: Final = 1.0
_DRAIN_SECONDS: Final = 0.3

_CHANGES: Final[tuple[rtc.room.EventTypes, ...]] = (
    "participant_connected",
    "participant_active",
    "participant_disconnected",
    "participant_attributes_changed",
    "participant_name_changed",
    "reconnecting",
    "connection_state_changed",
)
"""Events that say nothing but that the view may be another."""

logger = logging.getLogger(__name__)


class ChannelTrack:
    """One of our published tracks."""

    def __init__(
        self,
        output: AudioOutput,
        publication: rtc.LocalTrackPublication,
        on_sound: Callable[[], None],
    ) -> None:
        """Be a track.

        Args:
            output: Plays it.
            publication: What the room knows it as.
            on_sound: Called with each frame: in pauses none is written.
        """
        self._output = output
        self._publication = publication
        self._on_sound = on_sound

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now; the SDK renews it when it publishes the track again."""
        return self._publication.sid

    @property
    def waiting_ms(self) -> float:
        """So much of what was written is not played yet."""
        return self._output.waiting_ms

    async def write(self, samples: Pcm) -> None:
        """Play a frame."""
        self._on_sound()
        await self._output.write(samples)


class LiveKitMeeting:
    """A connected room, seen and written to."""

    def __init__(
        self,
        room: rtc.Room,
        offered: Sequence[LanguageCode],
        microphone_sources: Collection[str],
        subscriptions: Subscriptions,
    ) -> None:
        self._room = room
        self._changed = asyncio.Event()
        self._microphones = Microphones(room, self._changed.set, microphone_sources)
        self._is_over = False
        self._memory = PeopleMemory()
        self._hidden: tuple[str, ...] = ()
        self._was_reconnected = asyncio.Event()
        self._reconnects = 0
        self._is_up = Watched(is_up(room))
        self.attributes = InterpreterAttributes(room, offered)
        self.texts = TextSender(room, self.attributes.show_unread)
        self.permissions = TrackPermissions(room, subscriptions)
        self.spared = SparedMicrophones(room, subscriptions)
        self._callbacks: dict[rtc.room.EventTypes, Callable[..., None]] = {
            **dict.fromkeys(_CHANGES, self._on_change),
            **self._microphones.callbacks,
            "local_track_republished": self._on_republished,
            "reconnected": self._on_reconnected,
            "disconnected": self._on_disconnected,
        }

    def attach(self) -> None:
        """Begin to follow the room, and subscribe to the microphones that are there already."""
        for event, callback in self._all_callbacks():
            self._room.on(event, callback)

        self._microphones.subscribe_to_all()
        if is_up(self._room):
            # before the first track is there for all
            self.permissions.apply()
        self._is_over = not self._room.isconnected()

    def detach(self) -> None:
        """Stop following the room."""
        for event, callback in self._all_callbacks():
            self._room.off(event, callback)

    async def views(self) -> AsyncIterator[MeetingView]:
        """Watch the meeting: the view now, then the newest after each change; ends with it."""
        while not self._is_over:
            self._changed.clear()
            yield self._look()
            await self._changed.wait()

    def hearing_chat(
        self, on_message: Callable[[ChatMessage], None]
    ) -> AbstractAsyncContextManager[None]:
        """Be told each chat message that a person writes, for the length of a block."""
        return open_chat(self._room, on_message)

    @asynccontextmanager
    async def publish(self, name: str) -> AsyncGenerator[ChannelTrack]:
        """Publish an audio track for the length of a block; heard by those who are allowed it.

        Raises:
            MeetingError: The room did not let us.
        """
        output = AudioOutput(name)
        try:
            publication = await self._publish(output)
            try:
                with self.permissions.covering(name, publication):
                    yield ChannelTrack(output, publication, self.attributes.note_sound)
            finally:
                await self._unpublish(publication)
        finally:
            await output.aclose()

    def allow(self, audiences: Audiences) -> None:
        """Let these people receive these tracks of ours, and no others any."""
        self.permissions.allow(audiences)

    def spare_microphones(self, phones: Collection[str]) -> None:
        """Keep all microphones from these people, and give them to all others."""
        self.spared.follow(phones)

    def show(self, status: RoomStatus) -> None:
        """Show all people how the interpretation is doing."""
        self.attributes.show(status)

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show all people which languages may be asked for."""
        self.attributes.offer(languages)

    def note_hidden(self, identities: Sequence[str]) -> None:
        """Learn which participants there are whom LiveKit shows to no participant."""
        if self._hidden != tuple(identities):
            self._hidden = tuple(identities)
            self._changed.set()

    def listen_to(self, microphone_sources: Collection[str]) -> None:
        """Listen to people's tracks of these sources from now on."""
        self._microphones.follow(microphone_sources)

    def sounds_of(self, identity: str) -> tuple[SoundTrack, ...] | None:
        """The audio tracks of a participant; None where there is no such participant."""
        return self._microphones.sounds_of(identity)

    async def settle(self) -> None:
        """Wait a moment until what was queued is sent and what was shown is seen."""
        if is_up(self._room):
            await self.texts.drain(_DRAIN_SECONDS)
            await self.attributes.show_now(_DRAIN_SECONDS)

    async def follow_reconnects(self) -> None:
        """After each reconnect, say again what the server may have forgotten; until cancelled."""
        while True:
            await self._was_reconnected.wait()
            self._was_reconnected.clear()
            await self.attributes.send_again()

    def _look(self) -> MeetingView:
        """Read the room; while it reconnects, those who were there last still are.

        Where only signalling is lost, microphones go on meanwhile; else LiveKit takes them away.
        """
        if not is_up(self._room):
            people = self._memory.before_we_left(asyncio.get_running_loop().time())
            return MeetingView(tuple(map(self._as_still_heard, people)), is_connected=False)

        there = list(filter(is_person, self._room.remote_participants.values()))
        microphones = self._microphones.of(there)
        people = tuple(
            describe(
                who,
                microphones.get(who.identity),
                self._microphones.encryption_problem_of(who),
            )
            for who in there
        )
        self._memory.note(people, asyncio.get_running_loop().time())
        return MeetingView(people, self._observers())

    def _observers(self) -> tuple[Person, ...]:
        """Those who are no people: others that are seen, and the hidden ones as they were noted."""
        seen = (
            describe(participant, None)
            for participant in self._room.remote_participants.values()
            if not is_person(participant)
        )
        return (*seen, *(Person(identity, identity) for identity in self._hidden))

    def _as_still_heard(self, person: Person) -> Person:
        if self._microphones.has(person.microphone):
            return person

        return replace(person, microphone=None)

    def _all_callbacks(self) -> Iterator[tuple[rtc.room.EventTypes, Callable[..., None]]]:
        yield from self._callbacks.items()
        yield from self.spared.callbacks.items()

    async def _publish(self, output: AudioOutput) -> rtc.LocalTrackPublication:
        """Publish a track, again where the connection was lost meanwhile.

        LiveKit notices that some seconds later than we give up, so one failure alone tells nothing.
        """
        failures = 0
        while True:
            await self._is_up.wait_until(bool)
            reconnects = self._reconnects
            try:
                async with asyncio.timeout(_PUBLISH_SECONDS):
                    return await complete_or_undo(
                        self._room.local_participant.publish_track(
                            output.track, microphone_options()
                        ),
                        grace_seconds=_UNPUBLISH_SECONDS,
                        undo=self._unpublish,
                    )
            except (TimeoutError, rtc.participant.PublishTrackError):
                is_lost = not self._is_up.value or self._reconnects != reconnects
                failures = 0 if is_lost else failures + 1
                if failures == _REFUSALS:
                    raise MeetingError(
                        "the room did not let the interpreter publish a track"
                    ) from None

    async def _unpublish(self, publication: rtc.LocalTrackPublication) -> None:
        if not is_up(self._room):
            return

        try:
            async with asyncio.timeout(_UNPUBLISH_SECONDS):
                await self._room.local_participant.unpublish_track(publication.sid)
        except (TimeoutError, rtc.participant.UnpublishTrackError):
            logger.info("a track could not be unpublished, it goes with the connection")

    def _on_change(self, *_: object) -> None:
        self._is_up.set(is_up(self._room))
        self._changed.set()

    def _on_republished(self, *_: object) -> None:
        self.permissions.send_again()

    def _on_reconnected(self) -> None:
        self._microphones.subscribe_to_all()
        self.permissions.send_again()
        self._reconnects += 1
        self._was_reconnected.set()
        self._is_up.set(is_up(self._room))
        self.texts.wake()
        self._changed.set()

    def _on_disconnected(self, *_: object) -> None:
        self._is_over = True
        self.texts.wake()
        self._changed.set()


@asynccontextmanager
async def open_meeting(
    room: rtc.Room,
    offered: Sequence[LanguageCode],
    microphone_sources: Collection[str],
    subscriptions: Subscriptions,
) -> AsyncGenerator[LiveKitMeeting]:
    """Follow a connected room for the length of a block.

    Owns the tasks that write into it; what is queued when the block ends is sent first.

    Args:
        room: Connected, without automatic subscriptions.
        offered: Shown as the languages that people may ask for.
        microphone_sources: Of the tracks that count as microphones; none, to subscribe to none.
        subscriptions: Of the others in the room.
    """
    meeting = LiveKitMeeting(room, offered, microphone_sources, subscriptions)
    meeting.attach()
    try:
        async with asyncio.TaskGroup() as group:
            writing = [
                group.create_task(meeting.texts.send_all(), name="texts"),
                group.create_task(meeting.attributes.keep_shown(), name="attributes"),
                group.create_task(meeting.permissions.keep_applied(), name="permissions"),
                group.create_task(meeting.spared.keep_spared(), name="phones"),
                group.create_task(meeting.follow_reconnects(), name="reconnects"),
            ]
            try:
                yield meeting
            finally:
                await meeting.settle()
                for task in writing:
                    task.cancel()
    finally:
        meeting.detach()
        if meeting.texts.dropped:
            unread = {"count": meeting.texts.dropped}
            logger.warning("texts did not reach all their readers", extra=unread)
