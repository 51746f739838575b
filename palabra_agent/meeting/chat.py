"""Chat messages that people write in a LiveKit room.

A message is a text stream, which any participant may send in any number and length, and need never
end. So few are read at a time, each in a task of ours with a deadline, and none beyond what a
person writes by hand.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

from livekit import rtc

from palabra_agent.failures import log_failure
from palabra_agent.interpretation.ports import ChatMessage
from palabra_agent.meeting.livekit_names import TOPIC_CHAT
from palabra_agent.meeting.microphones import is_person

KIND_ATTRIBUTE: Final = "palabra.kind"
"""Of chat messages that an interpreter wrote for a speaker."""

LONGEST_MESSAGE: Final = 4_000
"""Characters; of a longer one the beginning is read."""

_READ_SECONDS: Final = 10.0
_MOST_OF_ALL: Final = 40
_MOST_OF_ONE: Final = 5
"""Messages that are read at a time: of all people, and of one."""

logger = logging.getLogger(__name__)


class _ChatReader:
    """Reads the messages that come, each in a task."""

    def __init__(
        self, room: rtc.Room, group: asyncio.TaskGroup, on_message: Callable[[ChatMessage], None]
    ) -> None:
        self._room = room
        self._group = group
        self._on_message = on_message
        self._reading = Counter[str]()
        """How many of each sender are being read."""
        self.tasks: set[asyncio.Task[None]] = set()

    def receive(self, reader: rtc.TextStreamReader, sender: str) -> None:
        """Begin to read a message of a person, as LiveKit's SDK calls it."""
        if not self._is_read(reader, sender):
            reader.close()
            return

        self._reading[sender] += 1
        task = self._group.create_task(self._read(reader, sender), name="read chat message")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _is_read(self, reader: rtc.TextStreamReader, sender: str) -> bool:
        participant = self._room.remote_participants.get(sender)
        return (
            participant is not None
            and is_person(participant)
            and KIND_ATTRIBUTE not in (reader.info.attributes or {})
            and self._reading.total() < _MOST_OF_ALL
            and self._reading[sender] < _MOST_OF_ONE
        )

    async def _read(self, reader: rtc.TextStreamReader, sender: str) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                text = await _text_of(reader)
            self._on_message(ChatMessage(sender, text))
        except (TimeoutError, rtc.data_stream.StreamError):
            logger.debug("a chat message did not arrive as a whole")
        except Exception as error:  # noqa: BLE001 - the fence around what any participant may write
            log_failure(logger, "a chat message could not be read", error)
        finally:
            reader.close()
            self._reading[sender] -= 1
            self._reading += Counter()  # forgets those of whom none is read


async def _text_of(reader: rtc.TextStreamReader) -> str:
    """Read a message to its end, or as far as it is not too long."""
    text = ""
    async for chunk in reader:
        text += chunk
        if len(text) > LONGEST_MESSAGE:
            break

    return text[:LONGEST_MESSAGE]


@asynccontextmanager
async def open_chat(
    room: rtc.Room, on_message: Callable[[ChatMessage], None]
) -> AsyncGenerator[None]:
    """Hear what people write in the chat for the length of a block.

    Args:
        room: Connected.
        on_message: Told each message of a person; those of agents, and those that an interpreter
            wrote for a speaker, are left out.
    """
    async with asyncio.TaskGroup() as group:
        reading = _ChatReader(room, group, on_message)
        room.register_text_stream_handler(TOPIC_CHAT, reading.receive)
        try:
            yield
        finally:
            room.unregister_text_stream_handler(TOPIC_CHAT)
            for task in reading.tasks:
                task.cancel()
