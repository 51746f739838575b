"""Chat messages of people: which are read, and what a flood of them costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from palabra_agent.interpretation.ports import ChatMessage
from palabra_agent.meeting.chat import LONGEST_MESSAGE, open_chat
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit

_KINDS = rtc.ParticipantKind
KINDS = {
    "ann": _KINDS.PARTICIPANT_KIND_STANDARD,
    "tel": _KINDS.PARTICIPANT_KIND_SIP,
    "bot": _KINDS.PARTICIPANT_KIND_AGENT,
    "tape": _KINDS.PARTICIPANT_KIND_EGRESS,
}


class ComingMessage:
    """A text stream that comes in pieces, and may never end."""

    def __init__(
        self,
        *pieces: str | Exception,
        ends: bool = True,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self.info = SimpleNamespace(attributes=dict(attributes or {}))
        self.is_closed = False
        self._pieces = pieces
        self._ends = ends

    async def __aiter__(self) -> AsyncIterator[str]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

        if not self._ends:
            await asyncio.Event().wait()

    def close(self) -> None:
        """Be read no more."""
        self.is_closed = True


class ChatRoom:
    """A room in which participants write."""

    def __init__(self) -> None:
        self.remote_participants = {
            identity: SimpleNamespace(kind=kind) for identity, kind in KINDS.items()
        }
        self.heard: list[ChatMessage] = []
        self._handlers: dict[str, Callable[[object, str], None]] = {}

    def register_text_stream_handler(
        self, topic: str, handler: Callable[[object, str], None]
    ) -> None:
        """Have texts of a topic handled."""
        self._handlers[topic] = handler

    def unregister_text_stream_handler(self, topic: str) -> None:
        """Have them handled no more."""
        del self._handlers[topic]

    @property
    def is_listened_to(self) -> bool:
        """True while the chat is read."""
        return "lk.chat" in self._handlers

    def write(self, message: ComingMessage, sender: str = "ann") -> ComingMessage:
        """Let a participant write."""
        self._handlers["lk.chat"](message, sender)
        return message


@asynccontextmanager
async def chat() -> AsyncGenerator[ChatRoom]:
    """Have a room whose chat is read."""
    room = ChatRoom()
    async with open_chat(cast("rtc.Room", room), room.heard.append):
        yield room

    assert not room.is_listened_to


@in_jumping_time
async def test_people_are_heard() -> None:
    """Callers by telephone too; in as many pieces as a message comes."""
    async with chat() as room:
        room.write(ComingMessage("/lang", " es"))
        room.write(ComingMessage("hello"), "tel")
        await eventually(lambda: len(room.heard) == 2)

    assert room.heard == [ChatMessage("ann", "/lang es"), ChatMessage("tel", "hello")]


@in_jumping_time
@pytest.mark.parametrize(
    ("message", "sender"),
    [
        (ComingMessage("/lang es"), "bot"),
        (ComingMessage("/lang es"), "tape"),
        (ComingMessage("/lang es"), "gone"),
        (ComingMessage("Ann: hola", attributes={"palabra.kind": "translation"}), "ann"),
        (ComingMessage("/lang", rtc.StreamError("aborted")), "ann"),
        (ComingMessage("/lang", ends=False), "ann"),
    ],
)
async def test_other_messages_are_not(message: ComingMessage, sender: str) -> None:
    """Those of agents, of interpreters, and those that do not end."""
    async with chat() as room:
        room.write(message, sender)
        await passing(60)
        assert message.is_closed
        room.write(ComingMessage("hello"))
        await eventually(lambda: room.heard)

    assert room.heard == [ChatMessage("ann", "hello")]


@in_jumping_time
@pytest.mark.parametrize(
    "message",
    [
        ComingMessage("x" * (LONGEST_MESSAGE + 1)),
        ComingMessage(*["x"] * (2 * LONGEST_MESSAGE), ends=False),
    ],
)
async def test_of_a_long_message_the_beginning_is_read(message: ComingMessage) -> None:
    """It need not end."""
    async with chat() as room:
        room.write(message)
        await eventually(lambda: room.heard)
        assert message.is_closed

    assert room.heard == [ChatMessage("ann", "x" * LONGEST_MESSAGE)]


@in_jumping_time
async def test_a_flood_takes_no_place_from_others() -> None:
    """One person has a few messages read at a time, and all of them a bounded number."""
    async with chat() as room:
        endless = [room.write(ComingMessage("x", ends=False)) for _ in range(1000)]
        assert sum(not it.is_closed for it in endless) == 5
        room.write(ComingMessage("hello"), "tel")
        await eventually(lambda: room.heard)
        await passing(60)
        assert all(it.is_closed for it in endless)


@in_jumping_time
async def test_the_end_of_the_meeting_ends_reading() -> None:
    """Also of what has begun."""
    async with chat() as room:
        message = room.write(ComingMessage("x", ends=False))
        await passing(0.1)

    assert message.is_closed
