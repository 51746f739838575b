"""Methods that participants of a LiveKit room may call on us, and how an answer fits into a packet.

LiveKit's SDK ends a call when its caller has waited enough, and logs whatever it raises. So a call
is worked on in a task of ours, which goes on, and whatever comes of it is an answer or a sentence.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeAlias

from livekit import rtc

from palabra_agent.errors import PalabraAgentError

LARGEST_ANSWER: Final = 15 * 1024
"""Bytes that any two versions of LiveKit's SDKs can exchange; newer ones know no limit."""

_LARGEST_SENTENCE: Final = 256
"""Bytes after which SDKs cut an error's message, in the middle of a character."""

_MOST_CALLS: Final = 20
"""So many calls are worked on at a time, and no more."""

_NOT_READY: Final = "the interpreter is not ready yet; try again in a moment"
_ENDED: Final = "the interpretation of this room ends"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asks."""

    caller: str
    """Identity, as LiveKit's server knows it."""
    payload: str


class CallRefused(PalabraAgentError):
    """A call gets no answer but a sentence."""

    def __init__(self, code: int, sentence: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, sentence)
        self.code = code
        """In the manner of HTTP: 400 wrong, 403 not allowed, 404 not there, 503 not now."""
        self.sentence = sentence
        self.data = data
        """What an app may want to know besides."""

    def __str__(self) -> str:
        return self.sentence


Method: TypeAlias = Callable[[Call], Awaitable[Mapping[str, Any]]]
"""Answers a call, or raises `CallRefused`."""


class Methods:
    """What may be asked of us; until it is served, and afterwards, there is only a sentence."""

    def __init__(self) -> None:
        self._desk: _Desk | None = None
        self._excuse = _NOT_READY

    def excuse(self, sentence: str) -> None:
        """Say this to whoever calls while nothing is served."""
        self._excuse = sentence

    @asynccontextmanager
    async def serving(self, methods: Mapping[str, Method]) -> AsyncGenerator[None]:
        """Answer calls for the length of a block; those under way at its end are given up."""
        async with asyncio.TaskGroup() as group:
            self._desk = desk = _Desk(methods, group)
            try:
                yield
            finally:
                self._desk, self._excuse = None, _ENDED
                desk.close()

    async def answer(self, name: str, invocation: rtc.RpcInvocationData) -> str:
        """Answer a call as the SDK wants it answered.

        Raises:
            RpcError: There is no answer but this.
        """
        call = Call(invocation.caller_identity, invocation.payload)
        try:
            if self._desk is None:
                raise CallRefused(503, self._excuse)

            return await self._desk.answer(name, call)
        except CallRefused as refused:
            data = fitting(refused.data) if refused.data else None
            raise rtc.RpcError(refused.code, short(refused.sentence), data) from None


@dataclass(slots=True)
class _Desk:
    """The calls under way."""

    methods: Mapping[str, Method]
    group: asyncio.TaskGroup
    under_way: set[asyncio.Task[str | CallRefused]] = field(
        default_factory=set[asyncio.Task[str | CallRefused]]
    )

    async def answer(self, name: str, call: Call) -> str:
        """Answer a call; whoever stops waiting for it does not end it."""
        if len(self.under_way) >= _MOST_CALLS:
            raise CallRefused(429, f"{_MOST_CALLS} calls are being answered already; try again")

        working = self.group.create_task(_outcome(self.methods[name], name, call), name=name)
        self.under_way.add(working)
        working.add_done_callback(self.under_way.discard)
        await asyncio.wait([working])
        if working.cancelled():
            raise CallRefused(503, _ENDED)

        outcome = working.result()
        if isinstance(outcome, CallRefused):
            raise outcome

        return outcome

    def close(self) -> None:
        """Give up what is under way."""
        for working in self.under_way:
            working.cancel()


async def _outcome(method: Method, name: str, call: Call) -> str | CallRefused:
    """What comes of a call, whatever happens: its errors may hold what somebody has written."""
    try:
        return fitting(await method(call))
    except CallRefused as refused:
        return refused
    except Exception as error:  # the fence around what anybody may call
        logger.error(  # noqa: TRY400 - the traceback may hold a name
            "a call could not be answered", extra={"method": name, "error": type(error).__name__}
        )
        logger.debug("how it could not be answered", exc_info=True)
        return CallRefused(500, "the interpreter could not answer this; its log says why")


@asynccontextmanager
async def open_methods(room: rtc.Room, names: Sequence[str]) -> AsyncGenerator[Methods]:
    """Let the participants of a connected room call methods for the length of a block."""
    methods, participant = Methods(), room.local_participant
    for name in names:
        participant.register_rpc_method(name, partial(methods.answer, name))

    try:
        yield methods
    finally:
        for name in names:
            participant.unregister_rpc_method(name)


def short(sentence: str) -> str:
    """A sentence as far as it fits into an error's message."""
    encoded = sentence.encode(errors="replace")
    if len(encoded) <= _LARGEST_SENTENCE:
        return encoded.decode()

    return encoded[: _LARGEST_SENTENCE - len("…".encode())].decode(errors="ignore") + "…"


def fitting(answer: Mapping[str, Any]) -> str:
    """An answer as JSON; of one that is too large, lists lose their ends, and it says how much.

    What is not in a list is short by itself.
    """
    said = dict(answer)
    while len(encoded := _encoded(said)) > LARGEST_ANSWER:
        lists: dict[str, list[Any]] = {key: it for key, it in said.items() if isinstance(it, list)}
        longest = max(lists, key=lambda key: len(_encoded(lists[key])), default="")
        entries = lists.get(longest)
        if not entries:
            break

        kept = entries[: len(entries) // 2]
        left_out = said.get("left_out", 0) + len(entries) - len(kept)
        said |= {longest: kept, "left_out": left_out}

    return encoded.decode()


def _encoded(value: object) -> bytes:
    """As JSON; halves of surrogate pairs, which JSON may hold and UTF-8 may not, replaced."""
    return json.dumps(value, ensure_ascii=False).encode(errors="replace")
