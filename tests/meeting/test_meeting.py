"""The meeting against a real server: who is there, also while we are away for a moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import MeetingView
from palabra_agent.languages import LanguageCode
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import join, mint_token
from palabra_agent.meeting.meeting import LiveKitMeeting, open_meeting
from tests.clock import HANG_SECONDS

pytestmark = pytest.mark.livekit


@asynccontextmanager
async def meeting_of(
    server: RunningLiveKit, name: str
) -> AsyncGenerator[tuple[rtc.Room, LiveKitMeeting]]:
    """Follow a room as the interpreter does."""
    room = rtc.Room()
    options = rtc.RoomOptions(auto_subscribe=False)
    await room.connect(server.url, mint_token(server, name, "interpreter"), options)
    try:
        async with open_meeting(room, (LanguageCode("es"),), ("microphone",)) as meeting:
            yield room, meeting
    finally:
        await room.disconnect()


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
        async with open_meeting(room, (), ()):
            await alice.wait_for(
                lambda: alice.attributes_of("interpreter").get("palabra.state"), HANG_SECONDS
            )
            publications = room.remote_participants["alice"].track_publications.values()
            subscribed = [publication.subscribed for publication in publications]
        await room.disconnect()

    assert subscribed == [False]
