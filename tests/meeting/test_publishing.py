"""Our tracks in a room that is lost while it is asked to take them, or that does not take them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from livekit import rtc

from palabra_agent.errors import MeetingError
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.meeting import LiveKitMeeting
from tests.clock import eventually, in_jumping_time, passing
from tests.meeting.fake_room import FakeRoom

pytestmark = pytest.mark.unit

ES = "translation_es"
LOST = rtc.participant.PublishTrackError("timed out")


class NoSubscriptions:
    """LiveKit's server cannot be asked."""

    async def subscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Do nothing."""

    async def unsubscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Do nothing."""


def meeting_in(room: FakeRoom) -> LiveKitMeeting:
    """Follow a room."""
    meeting = LiveKitMeeting(room(), (LanguageCode("es"),), ("microphone",), NoSubscriptions())
    meeting.attach()
    return meeting


@in_jumping_time
async def test_a_track_that_was_lost_with_the_connection_is_published_again() -> None:
    """Also where the connection is back long before the request is given up."""
    room = FakeRoom()
    room.publish_failures = [LOST, LOST]
    meeting = meeting_in(room)
    published = asyncio.Event()

    async def publish() -> None:
        async with meeting.publish(ES):
            published.set()

    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish())
        for _ in range(2):
            await passing(3)
            room.reconnect()
            await passing(7)
        await eventually(published.is_set)
        await publishing

    assert room.publish_failures == []
    assert room.published == []


@in_jumping_time
async def test_a_room_that_takes_no_track_is_told_as_such() -> None:
    """While it is connected, and no cancellation is lost in its refusal."""
    room = FakeRoom()
    room.publish_failures = [LOST, LOST]
    meeting = meeting_in(room)
    with pytest.raises(MeetingError, match="did not let the interpreter publish"):
        async with meeting.publish(ES):
            pass

    async def publish() -> None:
        async with meeting.publish(ES):
            pass

    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish())
        await passing(9.9)
        publishing.cancel()

    assert publishing.cancelled()
