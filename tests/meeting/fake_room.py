"""A LiveKit room that takes texts, attributes and permissions, or not."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from livekit import rtc


@dataclass
class SentText:
    """A text that was written into the room."""

    text: str
    facts: dict[str, object]


class FakeRoom:
    """A room with our own participant in it."""

    def __init__(
        self,
        *,
        is_connected: bool = True,
        failures: tuple[Exception, ...] = (),
        refuses: Callable[[Sequence[str]], bool] = lambda _readers: False,
    ) -> None:
        """Be a room.

        Args:
            is_connected: Whether it can be written to.
            failures: Raised by the next texts.
            refuses: Tells whether a text is refused for the readers that it names.
        """
        self.is_connected = is_connected
        self.remote_participants: dict[str, object] = {}
        """All others in the room that are seen, by identity."""
        self.tries = 0
        """How many texts came, refused ones as well."""
        self.sent: list[SentText] = []
        self.attributes: list[dict[str, str]] = []
        """All that were ever shown, in order."""
        self.permissions: list[dict[str, list[str]]] = []
        """Each list of permissions that was sent: the tracks that each participant may receive."""
        self.published: list[str] = []
        """The names of our tracks, in order."""
        self.publish_failures: list[Exception] = []
        """Raised by the next tracks, each after nine seconds."""
        self._callbacks = defaultdict[str, list[Callable[..., None]]](list)
        """By event."""
        self._failures = list(failures)
        self._refuses = refuses
        self._takes = asyncio.Event()
        self._takes.set()

    def __call__(self) -> rtc.Room:
        """Pass for LiveKit's class, which only its own library can make."""
        return cast("rtc.Room", self)

    @property
    def local_participant(self) -> FakeRoom:
        """Be one's own participant."""
        return self

    @property
    def connection_state(self) -> rtc.ConnectionState.ValueType:
        """Tell whether the room can be written to."""
        state = rtc.ConnectionState
        return state.CONN_CONNECTED if self.is_connected else state.CONN_RECONNECTING

    @property
    def texts(self) -> list[str]:
        """The texts that were written, in order."""
        return [it.text for it in self.sent]

    def others_are(self, *identities: str) -> None:
        """Have these participants beside our own."""
        self.remote_participants = dict.fromkeys(identities, object())

    def hang(self) -> None:
        """Take nothing from now on."""
        self._takes.clear()

    def go_on(self) -> None:
        """Take what waits, and everything from now on."""
        self._takes.set()

    def isconnected(self) -> bool:
        """Tell whether it has not ended."""
        return True

    def on(self, event: str, callback: Callable[..., None]) -> None:
        """Be followed."""
        self._callbacks[event].append(callback)

    def off(self, event: str, callback: Callable[..., None]) -> None:
        """Be followed no more."""
        self._callbacks[event].remove(callback)

    def reconnect(self) -> None:
        """Be lost, and back at once."""
        for event, is_connected in (("reconnecting", False), ("reconnected", True)):
            self.is_connected = is_connected
            for callback in self._callbacks[event]:
                callback()

    async def publish_track(self, track: rtc.LocalAudioTrack, _options: object) -> object:
        """Take a track."""
        if self.publish_failures:
            await asyncio.sleep(9)
            raise self.publish_failures.pop(0)

        self.published.append(track.name)
        return SimpleNamespace(sid=f"TR_{track.name}")

    async def unpublish_track(self, sid: str) -> None:
        """Take a track back."""
        self.published.remove(sid.removeprefix("TR_"))

    async def send_text(self, text: str, **facts: object) -> None:
        """Take a chat message."""
        self.tries += 1
        if self._failures:
            raise self._failures.pop(0)

        if self._refuses(readers_of(facts)):
            raise rtc.StreamError("stream header exceeds maximum size")

        await self._takes.wait()
        self.sent.append(SentText(text, facts))

    async def stream_text(self, **facts: object) -> FakeTextWriter:
        """Begin a caption."""
        return FakeTextWriter(self, facts)

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        """Take attributes."""
        await self._takes.wait()
        self.attributes.append(attributes)

    def set_track_subscription_permissions(
        self,
        *,
        allow_all_participants: bool,
        participant_permissions: Sequence[rtc.ParticipantTrackPermission],
    ) -> None:
        """Take permissions, which are for those who are named."""
        assert not allow_all_participants
        self.permissions.append(
            {it.participant_identity: list(it.allowed_track_sids) for it in participant_permissions}
        )


def readers_of(facts: dict[str, object]) -> list[str]:
    """The readers that a text names; none where it is for all."""
    return cast("list[str]", facts.get("destination_identities", []))


@dataclass
class FakeTextWriter:
    """A text that is streamed into the room."""

    room: FakeRoom
    facts: dict[str, object]
    text: str = field(default="", init=False)

    async def write(self, text: str) -> None:
        """Take some words."""
        self.text += text

    async def aclose(self) -> None:
        """Send them."""
        await self.room.send_text(self.text, **self.facts)
