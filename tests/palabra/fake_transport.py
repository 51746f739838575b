"""A stand-in for the transport of a session, whose other end is the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from typing import Any

from palabra_agent.audio.frame import Frame
from palabra_agent.languages import LanguageCode
from palabra_agent.palabra.protocol.messages import decode
from palabra_agent.palabra.transports.port import Disconnected, MessageReceived, TransportEvent


class FakeTransport:
    """A joined session of Palabra, whose other end is the test."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, Any]] = []
        """What was sent: message type and data."""
        self.times: list[float] = []
        """When."""
        self.heard: list[Frame] = []
        self.listening: list[bool] = []
        """What was said about listening, in order."""
        self.flushed: list[int] = []
        """After how many frames everything was to be sent, in order."""
        self.hushed: list[frozenset[LanguageCode]] = []
        self.has_peer = True
        self.error_on_send: Exception | None = None
        self.hangs = False
        """Whether sending never ends."""
        self.acknowledges_pauses = False
        """Whether a pause is answered at once."""
        self.waiting_ms = 0.0
        self._events: asyncio.Queue[TransportEvent | None] = asyncio.Queue()

    @property
    def names(self) -> list[str]:
        """The commands that were sent, by name."""
        return [name for name, _ in self.commands]

    def happen(self, *events: TransportEvent) -> None:
        """Let something happen."""
        for event in events:
            self._events.put_nowait(event)

    def answer(self, message_type: str, **data: object) -> None:
        """Let Palabra say something."""
        message = {"message_type": message_type, "data": data}
        self.happen(MessageReceived(decode(json.dumps(message))))

    def run_task(self) -> None:
        """Let Palabra say that the task runs."""
        self.answer("current_task", task_status="running")

    def break_down(self, reason: str = "gone") -> None:
        """Lose the connection."""
        self.happen(Disconnected(reason))

    def end(self) -> None:
        """Let the events end."""
        self._events.put_nowait(None)

    async def send(self, frame: bytes) -> None:
        """Take a command."""
        if self.error_on_send is not None:
            raise self.error_on_send

        if self.hangs:
            await asyncio.Event().wait()

        message = json.loads(frame)
        self.commands.append((message["message_type"], message["data"]))
        self.times.append(asyncio.get_running_loop().time())
        if self.acknowledges_pauses and message["message_type"] == "pause_task":
            self.answer("task_status", command="pause_task", task_status="paused")

    async def wait_for_peer(self, seconds: float) -> bool:
        """Say whether Palabra's side is there."""
        return self.has_peer

    async def write(self, frame: Frame) -> None:
        """Hear a frame."""
        self.heard.append(frame)

    async def flush(self) -> None:
        """Remember how much was heard when everything was to be."""
        self.flushed.append(len(self.heard))

    def set_listening(self, *, is_listening: bool) -> None:
        """Learn whether Palabra takes sound in."""
        self.listening.append(is_listening)

    def hush(self, languages: Collection[LanguageCode]) -> None:
        """Withdraw sound."""
        self.hushed.append(frozenset(languages))

    async def events(self) -> AsyncIterator[TransportEvent]:
        """Tell what happens."""
        while (event := await self._events.get()) is not None:
            yield event
