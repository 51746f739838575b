"""The meeting against a real server: who is there, also while we are away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.protocol.models import AudioTrackFeature

from palabra_agent.config.settings import LiveKitSettings, load_livekit_settings
from palabra_agent.interpretation.ports import MeetingView
from palabra_agent.languages import LanguageCode
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import SimulatedPerson, join, mint_token
from palabra_agent.local.services import livekit_environment
from palabra_agent.meeting.meeting import LiveKitMeeting, open_meeting
from palabra_agent.worker.livekit_api import open_subscriptions
from tests.clock import HANG_SECONDS
from tests.environment import environment

pytestmark = pytest.mark.livekit

ES, DE = "translation_es", "translation_de"


@asynccontextmanager
async def meeting_of(
    server: RunningLiveKit, name: str
) -> AsyncGenerator[tuple[rtc.Room, LiveKitMeeting]]:
    """Follow a room as the interpreter does."""
    room = rtc.Room()
    options = rtc.RoomOptions(auto_subscribe=False)
    await room.connect(server.url, mint_token(server, name, "interpreter"), options)
    try:
        async with (
            open_subscriptions(settings_of(server), name) as subscriptions,
            open_meeting(room, (LanguageCode("es"),), ("microphone",), subscriptions) as meeting,
        ):
            yield room, meeting
    finally:
        await room.disconnect()


def settings_of(server: RunningLiveKit) -> LiveKitSettings:
    """The address and the keys of a server, as a worker has them."""
    with environment(livekit_environment(server)):
        return load_livekit_settings()


class Watcher:
    """Keeps every view of a meeting."""

    def __init__(self, meeting: LiveKitMeeting) -> None:
        self.views: list[MeetingView] = []
        self._meeting = meeting
        self._seen = asyncio.Event()

    async def watch(self) -> None:
        """Look until cancelled."""
        async for view in self._meeting.views():
            self.views.append(view)
            self._seen.set()

    async def until_heard(self, identity: str, *, since: int = 0) -> None:
        """Wait for a view in which somebody has a microphone and we are connected."""
        async with asyncio.timeout(HANG_SECONDS):
            while not any(is_heard(view, identity) for view in self.views[since:]):
                self._seen.clear()
                await self._seen.wait()

    async def until_muted(self, identity: str, *, expected: bool) -> None:
        """Wait until somebody who is heard is muted, or is not."""
        async with asyncio.timeout(HANG_SECONDS):
            while not is_heard(self.views[-1], identity) or (
                is_muted(self.views[-1], identity) != expected
            ):
                self._seen.clear()
                await self._seen.wait()

    async def until_away(self) -> int:
        """Wait for a view in which we are not connected; return its number."""
        async with asyncio.timeout(HANG_SECONDS):
            while all(view.is_connected for view in self.views):
                self._seen.clear()
                await self._seen.wait()

        return next(number for number, view in enumerate(self.views) if not view.is_connected)


def is_heard(view: MeetingView, identity: str) -> bool:
    """Tell whether somebody's microphone can be listened to."""
    person = view.person(identity)
    return view.is_connected and person is not None and person.microphone is not None


def is_muted(view: MeetingView, identity: str) -> bool:
    """Tell whether somebody is there and muted."""
    person = view.person(identity)
    return person is not None and person.is_muted


async def test_nobody_leaves_while_we_reconnect(livekit_server: RunningLiveKit) -> None:
    """In a full reconnect everybody vanishes from the room, and stays in the view as unheard."""
    async with (
        join(livekit_server, "meeting-reconnect", "alice"),
        meeting_of(livekit_server, "meeting-reconnect") as (room, meeting),
        asyncio.TaskGroup() as group,
    ):
        watcher = Watcher(meeting)
        watching = group.create_task(watcher.watch())
        await watcher.until_heard("alice")
        await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        away = await watcher.until_away()
        await watcher.until_heard("alice", since=away)
        watching.cancel()

    assert [person.identity for person in watcher.views[away].people] == ["alice"]
    assert watcher.views[away].people[0].microphone is None


async def test_voices_go_on_while_only_signalling_is_lost(
    livekit_server: RunningLiveKit,
) -> None:
    """A signal reconnect takes seconds in which sound still comes: the microphone stays."""
    async with (
        join(livekit_server, "meeting-signal", "alice"),
        meeting_of(livekit_server, "meeting-signal") as (room, meeting),
        asyncio.TaskGroup() as group,
    ):
        watcher = Watcher(meeting)
        watching = group.create_task(watcher.watch())
        await watcher.until_heard("alice")
        await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
        away = await watcher.until_away()
        await watcher.until_heard("alice", since=away)
        watching.cancel()

    since = [person.microphone for view in watcher.views[away:] for person in view.people]
    assert len(set(since)) == 1
    assert since[0] is not None


async def test_mute_is_seen_and_outlives_reconnects(livekit_server: RunningLiveKit) -> None:
    """Whoever is muted is so for us who come later, after our reconnect, and until unmuted."""
    async with join(livekit_server, "meeting-mute", "alice") as alice:
        alice.mute()
        async with (
            meeting_of(livekit_server, "meeting-mute") as (room, meeting),
            asyncio.TaskGroup() as group,
        ):
            watcher = Watcher(meeting)
            watching = group.create_task(watcher.watch())
            await watcher.until_heard("alice")
            await watcher.until_muted("alice", expected=True)
            await room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
            away = await watcher.until_away()
            await watcher.until_heard("alice", since=away)
            heard_again = [view for view in watcher.views[away:] if is_heard(view, "alice")]
            alice.unmute()
            await watcher.until_muted("alice", expected=False)
            alice.mute()
            await watcher.until_muted("alice", expected=True)
            watching.cancel()

    assert all(is_muted(view, "alice") for view in heard_again)


async def test_a_meeting_that_is_not_listened_to_is_not_subscribed_to(
    livekit_server: RunningLiveKit,
) -> None:
    """Where the interpreter only came to say why it leaves, no voice is sent to it."""
    room = rtc.Room()
    options = rtc.RoomOptions(auto_subscribe=False)
    async with join(livekit_server, "meeting-deaf", "alice") as alice:
        await room.connect(
            livekit_server.url, mint_token(livekit_server, "meeting-deaf", "interpreter"), options
        )
        async with (
            open_subscriptions(settings_of(livekit_server), "meeting-deaf") as subscriptions,
            open_meeting(room, (), (), subscriptions),
        ):
            await alice.wait_for(
                lambda: alice.attributes_of("interpreter").get("palabra.state"), HANG_SECONDS
            )
            publications = room.remote_participants["alice"].track_publications.values()
            subscribed = [publication.subscribed for publication in publications]
        await room.disconnect()

    assert subscribed == [False]


class Receiver:
    """Notes which of the interpreter's tracks a person is given."""

    def __init__(self, person: SimulatedPerson) -> None:
        self._person = person
        person.room.on("track_subscribed", self._on_subscribed)
        # some may have been given while the person joined
        self.received = [
            publication.name
            for participant in person.room.remote_participants.values()
            for publication in participant.track_publications.values()
            if publication.track is not None
        ]
        """Names, one for each subscription."""

    async def until_received(self, *tracks: str) -> None:
        """Wait until the person was given these tracks, in this order."""
        wanted = list(tracks)
        await self._person.wait_for(
            lambda: len(self.received) >= len(wanted), HANG_SECONDS, ", ".join(wanted)
        )
        assert self.received == wanted

    async def ask_for(self, track: str) -> None:
        """Ask for one of the interpreter's tracks, as soon as it is announced."""
        publication = await self._person.wait_for(
            lambda: publication_of(self._person, track), HANG_SECONDS, track
        )
        publication.set_subscribed(True)

    def _on_subscribed(self, _: object, publication: rtc.TrackPublication, *__: object) -> None:
        self.received.append(publication.name)


@asynccontextmanager
async def listener_in(
    server: RunningLiveKit, room: str, identity: str
) -> AsyncGenerator[tuple[SimulatedPerson, Receiver]]:
    """Have a person in a room who speaks not, and see what they are given."""
    async with join(server, room, identity, microphone=False) as person:
        yield person, Receiver(person)


def publication_of(person: SimulatedPerson, track: str) -> rtc.RemoteTrackPublication | None:
    """One of the interpreter's tracks, as a person sees it, if it was announced to them."""
    interpreter = person.room.remote_participants["interpreter"]
    return next((it for it in interpreter.track_publications.values() if it.name == track), None)


async def test_a_channel_is_a_microphone_that_sends_all_the_time(
    livekit_server: RunningLiveKit,
) -> None:
    """LiveKit's hooks wait for an agent's microphone; DTX would delay words, RED double them."""
    async with (
        listener_in(livekit_server, "meeting-source", "bruno") as (bruno, receiver),
        meeting_of(livekit_server, "meeting-source") as (_, meeting),
        meeting.publish(ES),
    ):
        meeting.allow({ES: frozenset({"bruno"})})
        await receiver.until_received(ES)
        track = publication_of(bruno, ES)

        assert track is not None
        assert track.source == rtc.TrackSource.SOURCE_MICROPHONE
        assert track.mime_type == "audio/opus"
        assert int(AudioTrackFeature.TF_NO_DTX) in map(int, track.audio_features)


async def test_a_channel_is_received_by_those_who_are_allowed_it_alone(
    livekit_server: RunningLiveKit,
) -> None:
    """Whatever a person asks for, however they come; after our full reconnect as before it."""
    room = "meeting-allowed"
    async with (
        listener_in(livekit_server, room, "bruno") as (_, bruno),
        listener_in(livekit_server, room, "clara") as (_, clara),
        meeting_of(livekit_server, room) as (connection, meeting),
        meeting.publish(ES),
        meeting.publish(DE),
    ):
        meeting.allow({ES: frozenset({"bruno", "dora"})})
        await bruno.until_received(ES)
        for who in (bruno, clara):
            await who.ask_for(DE)
        for _ in range(2):
            # dora comes late, leaves, and comes again
            async with listener_in(livekit_server, room, "dora") as (_, dora):
                await dora.until_received(ES)

        await connection.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT)
        await bruno.until_received(ES, ES)
        meeting.allow({DE: frozenset({"bruno"})})
        await bruno.until_received(ES, ES, DE)
        meeting.allow({ES: frozenset({"bruno"}), DE: frozenset({"clara"})})
        await bruno.until_received(ES, ES, DE, ES)
        await clara.until_received(DE)
