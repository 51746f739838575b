"""Callers by telephone: the keys that they press, and the microphones that they do not receive.

LiveKit's SIP bridge subscribes a phone to every audio track as soon as it is published, and the
phone hears all of them at once. Only the server can undo that, each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import is_up
from palabra_agent.meeting.permissions import Subscriptions

_PAUSES: Final = (0.0, 0.5, 1.5)
"""Seconds before each time that the subscriptions are undone: the bridge may be slower than we."""

_LONGEST_ENTRY: Final = 4
_END_OF_ENTRY: Final = "#"


def is_phone(participant: rtc.RemoteParticipant) -> bool:
    """Tell whether a participant is a caller by telephone."""
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP


class Keypads:
    """Reads what callers enter: a number, ended by `#`."""

    def __init__(self, on_number: Callable[[str, int], None]) -> None:
        """Read nothing yet.

        Args:
            on_number: Called with a caller's identity and what they entered.
        """
        self._on_number = on_number
        self._entered: dict[str, str] = {}

    def press(self, identity: str, digit: str) -> None:
        """Take a key that a caller pressed."""
        entered = self._entered.pop(identity, "")
        if digit == _END_OF_ENTRY:
            if entered:
                self._on_number(identity, int(entered))
        elif digit.isascii() and digit.isdecimal() and len(entered) < _LONGEST_ENTRY:
            self._entered[identity] = entered + digit


@contextmanager
def open_keypads(room: rtc.Room, on_number: Callable[[str, int], None]) -> Generator[None]:
    """Read the keypads of callers for the length of a block.

    Args:
        room: Connected.
        on_number: Called with a caller's identity and what they entered.
    """
    keypads = Keypads(on_number)

    def on_digit(pressed: rtc.SipDTMF) -> None:
        caller = pressed.participant
        if isinstance(caller, rtc.RemoteParticipant) and is_phone(caller):
            keypads.press(caller.identity, pressed.digit)

    room.on("sip_dtmf_received", on_digit)
    try:
        yield
    finally:
        room.off("sip_dtmf_received", on_digit)


class SparedMicrophones:
    """Keeps people's microphones from phones that have a track which holds all of them."""

    def __init__(self, room: rtc.Room, subscriptions: Subscriptions) -> None:
        self._room = room
        self._subscriptions = subscriptions
        self._phones: frozenset[str] = frozenset()
        self._spared: dict[str, frozenset[str]] = {}
        """The tracks that were kept from each phone."""
        self._changed = asyncio.Event()
        self.callbacks: Mapping[rtc.room.EventTypes, Callable[..., None]] = dict.fromkeys(
            ("participant_connected", "track_published", "reconnected"), self._on_change
        )
        """Must be called by the room, by event."""

    def follow(self, phones: Collection[str]) -> None:
        """Keep microphones from these phones, by identity, and give them to all others."""
        if frozenset(phones) != self._phones:
            self._phones = frozenset(phones)
            self._changed.set()

    async def keep_spared(self) -> None:
        """Undo the subscriptions of phones after each change, until cancelled."""
        pauses: Iterator[float] = iter(())
        while True:
            try:
                async with asyncio.timeout(next(pauses, None)):
                    await self._changed.wait()
            except TimeoutError:
                await self._apply()
            else:
                self._changed.clear()
                pauses = iter(_PAUSES)

    async def _apply(self) -> None:
        if not is_up(self._room):
            return

        for identity in self._spared.keys() - self._phones:
            there = self._spared.pop(identity).intersection(self._sounds())
            if there and identity in self._room.remote_participants:
                await self._subscriptions.subscribe(identity, sorted(there))

        for identity in self._phones & self._room.remote_participants.keys():
            sids = self._sounds(but_of=identity)
            self._spared[identity] = frozenset(sids)
            if sids:
                await self._subscriptions.unsubscribe(identity, sids)

    def _sounds(self, but_of: str = "") -> Sequence[str]:
        """The audio tracks of all others than us, and than a participant."""
        return [
            publication.sid
            for participant in self._room.remote_participants.values()
            if participant.identity != but_of
            for publication in participant.track_publications.values()
            if publication.kind == rtc.TrackKind.KIND_AUDIO
        ]

    def _on_change(self, *_: object) -> None:
        self._changed.set()
