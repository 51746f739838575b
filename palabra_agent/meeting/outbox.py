"""Everything that is written into the room, one after the other: captions, chat, our own notices.

Writing must never hold the sound, so it is queued here and sent by a task of its own. A partial
caption that waits is replaced by what comes after it; a room that still does not keep up loses the
oldest, which is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

from livekit import rtc
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_CHAT,
    TOPIC_TRANSCRIPTION,
)

from palabra_agent.audio.rtc import is_up
from palabra_agent.interpretation.ports import Caption, ChatLine

_LIMIT: Final = 500
_SEND_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """A chat message from the interpreter itself, to everybody."""

    text: str


Item: TypeAlias = Caption | ChatLine | Notice


class Outbox:
    """A queue of things to write into a room."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._items: deque[Item] = deque()
        self._changed = asyncio.Event()
        self._is_idle = asyncio.Event()
        self.dropped = 0
        """Items that were never sent."""

    def put(self, item: Item) -> None:
        """Queue something; never waits. A caption takes the place of its own waiting partial."""
        if isinstance(item, Caption):
            self._withdraw_partial(item.segment_id)

        self._items.append(item)
        if len(self._items) > _LIMIT:
            self._items.popleft()
            self.dropped += 1

        self._is_idle.clear()
        self._changed.set()

    async def send_all(self) -> None:
        """Send what is queued, in order, until cancelled; waits while the room reconnects."""
        while True:
            while self._items and is_up(self._room):
                await self._send(self._items.popleft())

            self._is_idle.set()
            self._changed.clear()
            await self._changed.wait()

    async def drain(self, seconds: float) -> None:
        """Wait until everything is sent that can be, but not longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_idle.wait()
        except TimeoutError:
            logger.warning("messages were not sent", extra={"count": len(self._items)})

    def wake(self) -> None:
        """Look again whether the room can be written to."""
        self._changed.set()

    def _withdraw_partial(self, segment_id: str) -> None:
        for index in range(len(self._items) - 1, -1, -1):
            item = self._items[index]
            if isinstance(item, Caption) and item.segment_id == segment_id and not item.is_final:
                del self._items[index]
                return

    async def _send(self, item: Item) -> None:
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await self._write(item)
        except (TimeoutError, rtc.data_stream.StreamError, RuntimeError):
            self.dropped += 1
            logger.warning("a message to the room could not be sent")

    async def _write(self, item: Item) -> None:
        match item:
            case Caption():
                await self._write_caption(item)
            case ChatLine():
                await self._room.local_participant.send_text(
                    f"{item.speaker_name}: {item.text}",
                    topic=TOPIC_CHAT,
                    destination_identities=list(item.recipients),
                    attributes=chat_attributes(item),
                )
            case Notice(text):
                await self._room.local_participant.send_text(text, topic=TOPIC_CHAT)

    async def _write_caption(self, caption: Caption) -> None:
        writer = await self._room.local_participant.stream_text(
            topic=TOPIC_TRANSCRIPTION,
            destination_identities=list(caption.recipients),
            attributes=caption_attributes(caption),
            sender_identity=caption.speaker,
        )
        await writer.write(caption.text)
        await writer.aclose()


def caption_attributes(caption: Caption) -> dict[str, str]:
    """What comes with a caption: LiveKit's names, and those of its translator example."""
    return {
        ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: caption.segment_id,
        ATTRIBUTE_TRANSCRIPTION_FINAL: _flag(caption.is_final),
        ATTRIBUTE_TRANSCRIPTION_TRACK_ID: caption.track_sid,
        "language": caption.language,
        "translated": _flag(caption.is_translation),
    }


def chat_attributes(line: ChatLine) -> dict[str, str]:
    """What comes with a chat line, so that an app may show it differently from people's own."""
    return {
        "palabra.kind": "translation" if line.is_translation else "transcription",
        "palabra.speaker": line.speaker,
        "palabra.transcription_id": line.transcription_id,
        "language": line.language,
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
