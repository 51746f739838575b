"""Which people may receive which of our tracks: LiveKit's track subscription permissions.

What each listener is to hear is decided in `interpretation/plan.py`, and told to the server here.
The server enforces it and keeps the newest list alone: people whom it does not name receive none of
our tracks. It names people by identity and tracks by id. So it holds at once for a person who comes
late or rejoins, and a track that is published anew, with another id, is received by no person until
the list is sent again.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Protocol, TypeAlias

from livekit import rtc

from palabra_agent.audio.rtc import is_up

Audiences: TypeAlias = Mapping[str, frozenset[str]]
"""The identities of those who may receive each track, by the track's name."""

_PAUSE_SECONDS: Final = 0.05
"""Between two lists, of which each is about all: many people may choose at once."""

_REPEATED_AFTER: Final = (1.5, 4.0)
"""Seconds of quiet after which a list is sent once more: LiveKit's server overlooks what is revoked
while it is still making the subscription, and would let the person receive the track for good."""

_AT_ONCE: Final = 8
_ASK_AFTER: Final = (0.0, 0.1, 0.3)
"""Seconds before each time that the server is asked for a subscription: it may be asked before it
has read the list, or while the track that was revoked is still being closed."""


class Subscriptions(Protocol):
    """Subscriptions of others, which LiveKit's server changes for those who have its keys.

    It may be out of reach; then nothing happens.
    """

    async def subscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Subscribe a participant to tracks."""
        ...

    async def unsubscribe(self, identity: str, track_sids: Sequence[str]) -> None:
        """Undo a participant's subscriptions to tracks."""
        ...


class Published(Protocol):
    """One of our tracks; what is published again has another id."""

    @property
    def sid(self) -> str:
        """LiveKit's id of the track now."""
        ...


class TrackPermissions:
    """Keeps the server's list of permissions as it is wanted; the newest wins."""

    def __init__(self, room: rtc.Room, subscriptions: Subscriptions) -> None:
        """Allow nothing at first.

        Args:
            room: We publish tracks in it.
            subscriptions: Changed for those who are allowed a track once more.
        """
        self._room = room
        self._subscriptions = subscriptions
        self._audiences: Audiences = {}
        self._published: dict[str, Published] = {}
        self._changed = asyncio.Event()
        self._sent: Mapping[str, frozenset[str]] = {}
        """The tracks that each person may receive, as the server was told last."""
        self._is_sent = False
        """False where the server may know something else."""
        self._revoked: set[tuple[str, str]] = set()
        """People and the tracks that they were allowed before, and are not now."""

    def allow(self, audiences: Audiences) -> None:
        """Let these people receive these tracks, and no others any; never waits."""
        if audiences != self._audiences:
            self._audiences = audiences
            self._changed.set()

    @contextmanager
    def covering(self, name: str, track: Published) -> Generator[None]:
        """Let the people who are allowed a track of this name receive this one, for a block."""
        self._published[name] = track
        self._changed.set()
        try:
            yield
        finally:
            del self._published[name]
            self._changed.set()

    def send_again(self) -> None:
        """Send the list once more: the server may know us anew, or our tracks by other ids."""
        self._is_sent = False
        self._changed.set()

    async def keep_applied(self) -> None:
        """Send the newest list after each change and some time later, until cancelled."""
        turns = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            while True:
                self._changed.clear()
                if is_up(self._room):
                    for identity, sids in self.apply().items():
                        group.create_task(self._subscribe_again(identity, sids, turns))
                await asyncio.sleep(_PAUSE_SECONDS)
                await self._repeat()
                await self._changed.wait()

    async def _repeat(self) -> None:
        """Send the list again while it stays the same."""
        for pause in _REPEATED_AFTER:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            if self._changed.is_set():
                return

            if is_up(self._room):
                self._send(self._sent)

    def apply(self) -> Mapping[str, Sequence[str]]:
        """Send the list if it is another than the last; never waits.

        Returns:
            The tracks that people are allowed once more, by identity. LiveKit's server may lose
            sight of a subscription whose permission was revoked, and looks for such only every
            3 s; one that it is asked for it looks at immediately.
        """
        allowed = self._allowed()
        if self._is_sent and allowed == self._sent:
            return {}

        self._send(allowed)
        before, now = _pairs(self._sent), _pairs(allowed)
        self._sent, self._is_sent = allowed, True
        again = defaultdict[str, list[str]](list)
        for identity, sid in self._revoked & now:
            again[identity].append(sid)

        there = {track.sid for track in self._published.values()}
        self._revoked = {it for it in (self._revoked | before) - now if it[1] in there}
        return again

    def _send(self, allowed: Mapping[str, frozenset[str]]) -> None:
        self._room.local_participant.set_track_subscription_permissions(
            allow_all_participants=False,
            participant_permissions=[
                rtc.ParticipantTrackPermission(
                    participant_identity=identity, allowed_track_sids=sorted(sids)
                )
                for identity, sids in allowed.items()
            ],
        )

    def _allowed(self) -> Mapping[str, frozenset[str]]:
        sids = defaultdict[str, set[str]](set)
        for name, identities in self._audiences.items():
            track = self._published.get(name)
            if track is not None:
                for identity in identities:
                    sids[identity].add(track.sid)

        return {identity: frozenset(allowed) for identity, allowed in sids.items()}

    async def _subscribe_again(
        self, identity: str, sids: Sequence[str], turns: asyncio.Semaphore
    ) -> None:
        """Ask for subscriptions until they are not wanted any more, or were asked for enough."""
        for pause in _ASK_AFTER:
            await asyncio.sleep(pause)
            async with turns:
                # the turn may have come late
                if not self._sent.get(identity, frozenset()).issuperset(sids):
                    return

                await self._subscriptions.subscribe(identity, sids)


def _pairs(allowed: Mapping[str, frozenset[str]]) -> set[tuple[str, str]]:
    return {(identity, sid) for identity, sids in allowed.items() for sid in sids}
