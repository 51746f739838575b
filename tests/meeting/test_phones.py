"""Callers by telephone: the keys that they press, and the microphones that are kept from them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from livekit import rtc

from palabra_agent.meeting.phones import Keypads, SparedMicrophones
from tests.clock import in_jumping_time, passing

from .fake_room import FakeRoom

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("keys", "numbers"),
    [
        ("1#", [1]),
        ("12#3#", [12, 3]),
        ("0#", [0]),
        ("#", []),
        ("1", []),
        ("1*#2#", [2]),
        ("1A2#", [2]),
        ("123456789#", [6789]),
    ],
)
def test_a_number_ends_with_a_hash(keys: str, numbers: list[int]) -> None:
    """Any other key begins anew, and so does a number that is too long."""
    entered: list[tuple[str, int]] = []
    keypads = Keypads(lambda who, number: entered.append((who, number)))
    for key in keys:
        keypads.press("phone", key)

    assert entered == [("phone", number) for number in numbers]


def test_callers_have_a_keypad_each() -> None:
    """Keys of two that come in turns are two numbers."""
    entered: list[tuple[str, int]] = []
    keypads = Keypads(lambda who, number: entered.append((who, number)))
    for who, key in (("a", "1"), ("b", "2"), ("a", "#"), ("b", "#")):
        keypads.press(who, key)

    assert entered == [("a", 1), ("b", 2)]


@dataclass
class FakePublication:
    """A track of another."""

    sid: str
    kind: rtc.TrackKind.ValueType = rtc.TrackKind.KIND_AUDIO


@dataclass
class FakeParticipant:
    """Another in the room."""

    identity: str
    track_publications: dict[str, FakePublication] = field(
        default_factory=dict[str, FakePublication]
    )


def participant(identity: str, *sids: str) -> FakeParticipant:
    """Make a participant who has published sound, and a picture."""
    tracks = {sid: FakePublication(sid) for sid in sids}
    picture = FakePublication(f"{identity}_picture", rtc.TrackKind.KIND_VIDEO)
    return FakeParticipant(identity, {**tracks, picture.sid: picture})


class FakeServer:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.subscribed: list[tuple[str, list[str]]] = []
        self.unsubscribed: list[tuple[str, list[str]]] = []

    async def subscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Subscribe."""
        self.subscribed.append((identity, list(track_sids)))

    async def unsubscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Unsubscribe."""
        self.unsubscribed.append((identity, list(track_sids)))


@asynccontextmanager
async def sparing(room: FakeRoom, server: FakeServer) -> AsyncGenerator[SparedMicrophones]:
    """Keep microphones from phones for the length of a block."""
    spared = SparedMicrophones(room(), server)
    async with asyncio.TaskGroup() as group:
        keeping = group.create_task(spared.keep_spared())
        yield spared
        keeping.cancel()


@in_jumping_time
async def test_all_sound_of_others_is_kept_from_a_phone_again_and_again() -> None:
    """The bridge subscribes it to each track that is published, perhaps after we have undone it."""
    room, server = FakeRoom(), FakeServer()
    room.remote_participants = {
        who.identity: who
        for who in (participant("ann", "TR_1", "TR_2"), participant("phone", "TR_3"))
    }
    async with sparing(room, server) as spared:
        spared.follow(["phone", "another who is not there"])
        await passing(10)
        assert server.unsubscribed == [("phone", ["TR_1", "TR_2"])] * 3

        server.unsubscribed.clear()
        room.remote_participants["bob"] = participant("bob", "TR_4")
        spared.callbacks["track_published"](None, None)
        await passing(10)
        assert server.unsubscribed == [("phone", ["TR_1", "TR_2", "TR_4"])] * 3
        assert server.subscribed == []


@in_jumping_time
async def test_who_wants_the_original_receives_it_again() -> None:
    """Of the tracks that were kept from a phone, those that are still there, once."""
    room, server = FakeRoom(), FakeServer()
    ann = participant("ann", "TR_1", "TR_2")
    room.remote_participants = {"ann": ann, "phone": participant("phone")}
    async with sparing(room, server) as spared:
        spared.follow(["phone"])
        await passing(10)
        del ann.track_publications["TR_2"]
        spared.follow([])
        await passing(10)
        assert server.subscribed == [("phone", ["TR_1"])]


@in_jumping_time
async def test_nothing_is_asked_without_phones_or_connection() -> None:
    """A meeting without callers costs the server nothing."""
    room, server = FakeRoom(), FakeServer()
    room.remote_participants = {"ann": participant("ann", "TR_1"), "phone": participant("phone")}
    async with sparing(room, server) as spared:
        spared.callbacks["track_published"](None, None)
        await passing(10)
        room.is_connected = False
        spared.follow(["phone"])
        await passing(10)
        assert server.subscribed == server.unsubscribed == []
        room.is_connected = True
        spared.callbacks["reconnected"]()
        await passing(10)
        assert server.unsubscribed == [("phone", ["TR_1"])] * 3
