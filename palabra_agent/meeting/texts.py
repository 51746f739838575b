"""All texts that are written into the room, one after the other: captions, chat lines, notices.

Writing must never hold the sound, so texts are queued here and sent by a task of their own. A
partial caption that waits is replaced by what comes after it; a room that still does not keep up
loses the oldest, which is counted.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from livekit import rtc
from livekit.agents.types import (
    ATTRIBUTE_TRANSCRIPTION_FINAL,
    ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID,
    ATTRIBUTE_TRANSCRIPTION_TRACK_ID,
    TOPIC_CHAT,
    TOPIC_TRANSCRIPTION,
)

from palabra_agent.audio.rtc import is_up
from palabra_agent.interpretation.ports import Caption, ChatLine, Notice, RoomText
from palabra_agent.texts import one_line, shown_name

_LIMIT: Final = 500
_SEND_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


class TextSender:
    """Queues texts and sends them into a room."""

    def __init__(self, room: rtc.Room) -> None:
        self._room = room
        self._waiting: deque[RoomText] = deque()
        self._changed = asyncio.Event()
        self._is_idle = asyncio.Event()
        self.dropped = 0
        """Texts that were never sent."""

    def put(self, text: RoomText) -> None:
        """Queue a text; never waits. A caption takes the place of its own waiting partial."""
        if isinstance(text, Caption):
            self._withdraw_partial(text.segment_id)

        self._waiting.append(text)
        if len(self._waiting) > _LIMIT:
            self._waiting.popleft()
            self.dropped += 1

        self._is_idle.clear()
        self._changed.set()

    async def send_all(self) -> None:
        """Send what is queued, in order, until cancelled; waits while the room reconnects."""
        while True:
            while self._waiting and is_up(self._room):
                await self._send(self._waiting.popleft())

            self._is_idle.set()
            self._changed.clear()
            await self._changed.wait()

    async def drain(self, seconds: float) -> None:
        """Wait until everything is sent that can be, but not longer than this."""
        try:
            async with asyncio.timeout(seconds):
                await self._is_idle.wait()
        except TimeoutError:
            logger.warning("messages were not sent", extra={"count": len(self._waiting)})

    def wake(self) -> None:
        """Look again whether the room can be written to."""
        self._changed.set()

    def _withdraw_partial(self, segment_id: str) -> None:
        for index in range(len(self._waiting) - 1, -1, -1):
            match self._waiting[index]:
                case Caption(transcript) as caption if (
                    caption.segment_id == segment_id and not transcript.is_final
                ):
                    del self._waiting[index]
                    return
                case _:
                    pass

    async def _send(self, text: RoomText) -> None:
        participant = self._room.local_participant
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                match text:
                    case Caption():
                        await _send_caption(participant, text)
                    case ChatLine(said):
                        await participant.send_text(
                            f"{shown_name(text.speaker_name, text.speaker)}: {one_line(said.text)}",
                            topic=TOPIC_CHAT,
                            destination_identities=list(text.recipients),
                            attributes=chat_attributes(text),
                        )
                    case Notice(sentence):
                        await participant.send_text(sentence, topic=TOPIC_CHAT)
        except (TimeoutError, rtc.data_stream.StreamError, RuntimeError):
            self.dropped += 1
            logger.warning("a message to the room could not be sent")


async def _send_caption(participant: rtc.LocalParticipant, caption: Caption) -> None:
    writer = await participant.stream_text(
        topic=TOPIC_TRANSCRIPTION,
        destination_identities=list(caption.recipients),
        attributes=caption_attributes(caption),
        sender_identity=caption.speaker,
    )
    await writer.write(one_line(caption.transcript.text))
    await writer.aclose()


def caption_attributes(caption: Caption) -> dict[str, str]:
    """Attributes of a caption: LiveKit's names, and those of its translator example."""
    said = caption.transcript
    return {
        ATTRIBUTE_TRANSCRIPTION_SEGMENT_ID: caption.segment_id,
        ATTRIBUTE_TRANSCRIPTION_FINAL: _flag(said.is_final),
        ATTRIBUTE_TRANSCRIPTION_TRACK_ID: caption.track_sid,
        "language": said.language,
        "translated": _flag(said.is_translation),
    }


def chat_attributes(line: ChatLine) -> dict[str, str]:
    """Attributes of a chat line, so that an app may show it differently from people's own."""
    said = line.transcript
    return {
        "palabra.kind": "translation" if said.is_translation else "transcription",
        "palabra.speaker": line.speaker,
        "palabra.transcription_id": said.transcription_id,
        "language": said.language,
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
