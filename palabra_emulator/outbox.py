"""What is on its way to the client: messages in order, encoded as Palabra does it."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from typing import Final, Literal

from palabra_emulator.messages import Message

_CAPACITY: Final = 2_000


class Outbox:
    """Messages of one session; when nobody takes them, the oldest are forgotten."""

    def __init__(
        self,
        double_encode: Literal["never", "always", "mixed"],
        seed: int,
        distort: Callable[[Message], Sequence[Message]] = lambda message: [message],
    ) -> None:
        self._double_encode = double_encode
        self._distort = distort
        self._random = random.Random(seed)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(_CAPACITY)

    def post(self, message: Message) -> None:
        """Say something, or what a fault makes of it."""
        for distorted in self._distort(message):
            self.push(self._encoded(distorted))

    def push(self, packet: bytes) -> None:
        """Send a packet as it is."""
        if self._queue.full():
            self.take()
            self.done()

        self._queue.put_nowait(packet)

    async def next(self) -> bytes:
        """Wait for the next packet; say `done` when it is delivered."""
        return await self._queue.get()

    def take(self) -> bytes | None:
        """The next packet, if there is one now."""
        return None if self._queue.empty() else self._queue.get_nowait()

    def clear(self) -> None:
        """Forget what nobody has taken."""
        while self.take() is not None:
            self.done()

    def done(self) -> None:
        """A packet that was taken needs no more care."""
        self._queue.task_done()

    async def delivered(self) -> None:
        """Wait until everything that was said is delivered."""
        await self._queue.join()

    def _encoded(self, message: Message) -> bytes:
        """The packet; `data` may be JSON within JSON, the bare map of queue levels never is."""
        body = message.get("data")
        if "message_type" in message and self._is_double():
            message = {**message, "data": json.dumps(body, ensure_ascii=False)}

        try:
            return json.dumps(message, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # half a character; within JSON it can be written down
            return json.dumps(message).encode()

    def _is_double(self) -> bool:
        if self._double_encode == "mixed":
            return self._random.random() < 0.5

        return self._double_encode == "always"
