"""The interpreter's own participant attributes, by which the room sees how it is doing.

LiveKit's own clients read `lk.agent.state` beside ours: an agent that has none after 20 s counts as
failed there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from livekit import rtc

from palabra_agent.audio.rtc import is_up
from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.ports import LONGEST_ERROR, RoomState, RoomStatus
from palabra_agent.languages import EVERY_TARGET, LanguageCode
from palabra_agent.meeting.livekit_names import ATTRIBUTE_AGENT_STATE
from palabra_agent.texts import one_line

STATE_ATTRIBUTE: Final = "palabra.state"
LANGUAGES_ATTRIBUTE: Final = "palabra.languages"
LIVE_ATTRIBUTE: Final = "palabra.live"
ERROR_ATTRIBUTE: Final = "palabra.error"
SYNTHETIC_ATTRIBUTE: Final = "palabra.synthetic"
"""`true`: what is heard and read of this participant, a machine made."""

ARRIVAL_ATTRIBUTES: Final = {
    STATE_ATTRIBUTE: RoomState.STARTING.value,
    ATTRIBUTE_AGENT_STATE: "initializing",
    SYNTHETIC_ATTRIBUTE: "true",
}
"""What the interpreter joins with."""

_HUSH_SECONDS: Final = 1.0
"""A channel that is silent for less is still speaking: words have gaps."""
_PAUSE_SECONDS: Final = 0.5
"""Between two updates: LiveKit asks for restraint, and only the newest counts."""
_SEND_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shown:
    """Everything that the attributes say."""

    offered: tuple[LanguageCode, ...]
    status: RoomStatus = field(default_factory=lambda: RoomStatus(RoomState.STARTING))
    unread: str = ""
    """Says which texts do not reach their readers; empty where all do."""
    is_speaking: bool = False
    """A channel is audible."""

    @property
    def agent_state(self) -> str:
        """The state in LiveKit's words."""
        match self.status.state:
            case RoomState.STARTING:
                return "initializing"
            case RoomState.FAILED:
                return "idle"
            case RoomState.LIVE | RoomState.DEGRADED:
                return "speaking" if self.is_speaking else "listening"

    @property
    def state(self) -> RoomState:
        """The state, in which texts count as well."""
        is_degraded = self.unread and self.status.state is RoomState.LIVE
        return RoomState.DEGRADED if is_degraded else self.status.state

    @property
    def error(self) -> str:
        """All that is wrong, in one line."""
        return one_line("; ".join(filter(None, (self.status.error, self.unread))), LONGEST_ERROR)


class InterpreterAttributes:
    """Keeps the attributes of our own participant up to date."""

    def __init__(self, room: rtc.Room, offered: Sequence[LanguageCode]) -> None:
        self._room = room
        self._wanted: Watched[_Shown] = Watched(_Shown(tuple(offered)))
        self._sent: _Shown | None = None
        self._sounds_until = 0.0

    def show(self, status: RoomStatus) -> None:
        """Show how the interpretation is doing; never waits."""
        self._wanted.set(replace(self._wanted.value, status=status))

    def show_unread(self, trouble: str) -> None:
        """Show which texts do not reach their readers; never waits."""
        self._wanted.set(replace(self._wanted.value, unread=trouble))

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show which languages may be asked for; never waits."""
        self._wanted.set(replace(self._wanted.value, offered=tuple(languages)))

    def note_sound(self) -> None:
        """Learn that a channel is audible at this moment; never waits."""
        loop = asyncio.get_running_loop()
        self._sounds_until = loop.time() + _HUSH_SECONDS
        if not self._wanted.value.is_speaking:
            self._wanted.set(replace(self._wanted.value, is_speaking=True))
            loop.call_at(self._sounds_until, self._look_for_hush)

    def _look_for_hush(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() < self._sounds_until:
            loop.call_at(self._sounds_until, self._look_for_hush)
        else:
            self._wanted.set(replace(self._wanted.value, is_speaking=False))

    async def keep_shown(self) -> None:
        """Send the newest attributes after each change, until cancelled."""
        async for wanted in self._wanted.changes():
            if is_up(self._room):
                await self._send(wanted)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def send_again(self) -> None:
        """Send the attributes once more, as to a server that knows us anew."""
        await self._send(self._wanted.value)

    async def show_now(self, seconds: float) -> None:
        """Send the newest attributes at once if they were not sent yet, in no more than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if self._sent != self._wanted.value:
                    await self._send(self._wanted.value)

    async def _send(self, wanted: _Shown) -> None:
        attributes = {
            STATE_ATTRIBUTE: wanted.state.value,
            # all are too many to name
            LANGUAGES_ATTRIBUTE: "" if wanted.offered == EVERY_TARGET else ",".join(wanted.offered),
            LIVE_ATTRIBUTE: ",".join(wanted.status.live),
            ERROR_ATTRIBUTE: wanted.error,
            ATTRIBUTE_AGENT_STATE: wanted.agent_state,
            SYNTHETIC_ATTRIBUTE: "true",
        }
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.set_attributes(attributes)
        except TimeoutError:
            logger.warning("the interpreter's attributes could not be set")
        else:
            self._sent = wanted
