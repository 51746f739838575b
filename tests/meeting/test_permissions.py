"""Who may receive which track: the list that LiveKit's server is given, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from palabra_agent.meeting.permissions import TrackPermissions
from tests.clock import in_jumping_time, passing

from .fake_room import FakeRoom

pytestmark = pytest.mark.unit


@dataclass
class FakeTrack:
    """One of our tracks."""

    sid: str


class FakeSubscriptions:
    """Counts whom the server was asked to subscribe to what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def subscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Take a question."""
        self.asked.append((identity, tuple(track_sids)))

    async def unsubscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Take no such question."""
        raise NotImplementedError


def audience(*identities: str) -> frozenset[str]:
    """Some people."""
    return frozenset(identities)


@asynccontextmanager
async def permissions_in(
    room: FakeRoom, subscriptions: FakeSubscriptions | None = None
) -> AsyncGenerator[TrackPermissions]:
    """Keep permissions applied, with the channels of Spanish and German published."""
    permissions = TrackPermissions(room(), subscriptions or FakeSubscriptions())
    with (
        permissions.covering("translation_es", FakeTrack("TR_es")),
        permissions.covering("translation_de", FakeTrack("TR_de")),
    ):
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(permissions.keep_applied())
            await passing(1)
            yield permissions
            keeping.cancel()


@in_jumping_time
async def test_nothing_is_allowed_unless_it_is_said() -> None:
    """The first list is empty, and sent before any other: no track is there for all."""
    room = FakeRoom()
    async with permissions_in(room):
        pass

    assert room.permissions == [{}]


@in_jumping_time
async def test_each_receives_what_they_are_allowed() -> None:
    """People are named with the tracks of the names that they are allowed, those that there are."""
    room = FakeRoom()
    async with permissions_in(room) as permissions:
        permissions.allow(
            {
                "translation_es": audience("bruno", "erik"),
                "translation_de": audience("clara", "erik"),
                "translation_fr": audience("dora"),
            }
        )
        await passing(1)
        assert room.permissions[-1] == {
            "bruno": ["TR_es"],
            "clara": ["TR_de"],
            "erik": ["TR_de", "TR_es"],
        }
        with permissions.covering("translation_fr", FakeTrack("TR_fr")):
            await passing(1)
            assert room.permissions[-1]["dora"] == ["TR_fr"]
        await passing(1)
        assert "dora" not in room.permissions[-1]


@in_jumping_time
async def test_the_first_of_many_changes_is_sent_at_once_and_then_the_newest() -> None:
    """A hundred people who choose in one moment are two lists; the same again is none."""
    room = FakeRoom()
    async with permissions_in(room) as permissions:
        permissions.allow({"translation_es": audience("0")})
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert room.permissions == [{}, {"0": ["TR_es"]}]
        for number in range(1, 100):
            permissions.allow({"translation_es": audience(*map(str, range(number + 1)))})
            await asyncio.sleep(0)
        await passing(0.5)
        permissions.allow({"translation_es": audience(*map(str, range(100)))})
        await passing(0.5)

    assert [len(it) for it in room.permissions] == [0, 1, 100]


@in_jumping_time
async def test_a_list_that_stays_is_sent_twice_more() -> None:
    """LiveKit's server may have overlooked what was revoked; not while there is no connection."""
    room = FakeRoom()
    async with permissions_in(room) as permissions:
        permissions.allow({"translation_es": audience("bruno")})
        await passing(1)
        permissions.allow({})
        await passing(60)
        assert room.permissions == [{}, {"bruno": ["TR_es"]}, {}, {}, {}]
        room.is_connected = False
        permissions.allow({"translation_es": audience("bruno")})
        await passing(60)
        assert len(room.permissions) == 5


@in_jumping_time
async def test_a_track_that_was_published_again_is_allowed_anew() -> None:
    """Its id is another after a full reconnect; the list is sent again even where none is."""
    room, track = FakeRoom(), FakeTrack("TR_fr")
    async with permissions_in(room) as permissions:
        permissions.allow({"translation_fr": audience("dora")})
        with permissions.covering("translation_fr", track):
            await passing(1)
            room.is_connected = False
            permissions.allow({"translation_fr": audience("dora", "erik")})
            await passing(1)
            assert room.permissions[-1] == {"dora": ["TR_fr"]}
            track.sid = "TR_fr2"
            room.is_connected = True
            permissions.send_again()
            await passing(1)
            assert room.permissions[-1] == {"dora": ["TR_fr2"], "erik": ["TR_fr2"]}
            sent = len(room.permissions)
            permissions.send_again()
            await passing(1)
            assert room.permissions[sent:] == [room.permissions[-1]]


@in_jumping_time
async def test_who_comes_back_to_a_language_is_subscribed_by_the_server() -> None:
    """LiveKit's server is asked for a person whose permission was revoked before, and no other."""
    subscriptions = FakeSubscriptions()
    async with permissions_in(FakeRoom(), subscriptions) as permissions:
        for languages in ("es", "de"):
            permissions.allow({f"translation_{languages}": audience("bruno")})
            await passing(1)
        assert subscriptions.asked == []

        permissions.allow({"translation_es": audience("bruno", "clara")})
        await passing(1)
        assert set(subscriptions.asked) == {("bruno", ("TR_es",))}
        subscriptions.asked.clear()

        permissions.allow({"translation_es": audience("bruno", "clara", "dora")})
        await passing(1)
        assert subscriptions.asked == []


@in_jumping_time
async def test_a_subscription_that_is_not_wanted_any_more_is_not_asked_for() -> None:
    """A person who flits from language to language does not keep the server busy with the last."""
    subscriptions = FakeSubscriptions()
    async with permissions_in(FakeRoom(), subscriptions) as permissions:
        for language in ("es", "de", "es", "de"):
            permissions.allow({f"translation_{language}": audience("bruno")})
            await passing(0.08)
        await passing(1)

        assert subscriptions.asked.count(("bruno", ("TR_es",))) == 1
        assert subscriptions.asked.count(("bruno", ("TR_de",))) == 3
