"""What the interpreter shows of itself: its participant attributes, kept up to date."""

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
from palabra_agent.interpretation.ports import Condition, RoomState
from palabra_agent.languages import LanguageCode

STATE_ATTRIBUTE: Final = "palabra.state"
LANGUAGES_ATTRIBUTE: Final = "palabra.languages"
LIVE_ATTRIBUTE: Final = "palabra.live"
ERROR_ATTRIBUTE: Final = "palabra.error"

_PAUSE_SECONDS: Final = 0.5
"""Between two updates: LiveKit asks for restraint, and the newest is all that counts."""
_SEND_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Looks:
    """What is to be seen of us."""

    offered: tuple[LanguageCode, ...]
    condition: Condition = field(default_factory=lambda: Condition(RoomState.STARTING))


class Presence:
    """The attributes of our own participant."""

    def __init__(self, room: rtc.Room, offered: Sequence[LanguageCode]) -> None:
        self._room = room
        self._looks: Watched[_Looks] = Watched(_Looks(tuple(offered)))
        self._shown: Watched[_Looks | None] = Watched(None)

    def show(self, condition: Condition) -> None:
        """Show how the interpretation is doing; never waits."""
        self._looks.set(replace(self._looks.value, condition=condition))

    def offer(self, languages: Sequence[LanguageCode]) -> None:
        """Show which languages may be asked for; never waits."""
        self._looks.set(replace(self._looks.value, offered=tuple(languages)))

    async def keep_shown(self) -> None:
        """Send the newest looks after each change, until cancelled."""
        async for looks in self._looks.changes():
            if is_up(self._room):
                await self._send(looks)
                await asyncio.sleep(_PAUSE_SECONDS)

    async def send_again(self) -> None:
        """Send what is shown once more, as to a server that knows us anew."""
        await self._send(self._looks.value)

    async def until_shown(self, seconds: float) -> None:
        """Wait until the newest looks were sent, but not longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._shown.wait_until(lambda shown: shown == self._looks.value)

    async def _send(self, looks: _Looks) -> None:
        condition = looks.condition
        attributes = {
            STATE_ATTRIBUTE: condition.state.value,
            LANGUAGES_ATTRIBUTE: ",".join(looks.offered),
            LIVE_ATTRIBUTE: ",".join(condition.live),
            ERROR_ATTRIBUTE: condition.error,
        }
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._room.local_participant.set_attributes(attributes)
        except TimeoutError:
            logger.warning("the interpreter's attributes could not be set")
        else:
            self._shown.set(looks)
