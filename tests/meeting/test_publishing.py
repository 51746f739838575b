"""Our tracks in a room that is lost while it is asked to take them, or that does not take them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from livekit import rtc

from palabra_agent.errors import MeetingError
from palabra_agent.languages import LanguageCode
from palabra_agent.meeting.meeting import LiveKitMeeting
from tests.clock import in_jumping_time, passing
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


async def publish(meeting: LiveKitMeeting) -> None:
    """Publish a track, and take it back."""
    async with meeting.publish(ES):
        pass


@in_jumping_time
async def test_a_track_that_was_lost_with_the_connection_is_published_again() -> None:
    """Also where the connection is back long before the request fails; however often it is lost."""
    room = FakeRoom()
    room.publish_failures = [LOST] * 3
    meeting = meeting_in(room)
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish(meeting))
        for _ in range(3):
            await passing(3)
            room.reconnect()
            await passing(6)
        await publishing

    assert room.publish_failures == []
    assert room.published == []


@in_jumping_time
async def test_a_connection_whose_loss_is_noticed_late_is_waited_for() -> None:
    """One failure while nothing seems to be wrong is not the end of the interpretation."""
    room = FakeRoom()
    room.publish_failures = [LOST]
    await publish(meeting_in(room))

    assert room.publish_failures == []


@in_jumping_time
async def test_a_room_that_takes_no_track_is_told_as_such() -> None:
    """While it is connected, and where it fails twice in a row."""
    room = FakeRoom()
    room.publish_failures = [LOST] * 2
    with pytest.raises(MeetingError, match="did not let the interpreter publish"):
        await publish(meeting_in(room))


@in_jumping_time
async def test_a_channel_that_is_not_wanted_any_more_is_given_up() -> None:
    """Also where the room refuses it at that moment."""
    room = FakeRoom()
    room.publish_failures = [LOST] * 3
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish(meeting_in(room)))
        await passing(8.9)
        publishing.cancel()
        await passing(5)

    assert publishing.cancelled()
    assert room.publish_failures == [LOST] * 2
