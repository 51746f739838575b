"""RPC methods of the interpreter that participants of a LiveKit room may call.

Answers fit into one packet. LiveKit's SDK ends a call when its caller has waited enough, and logs
everything that it raises. So a call is worked on in a task of ours, which goes on, and ends with an
answer or with a sentence.
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
from palabra_agent.failures import log_failure
from palabra_agent.texts import one_line

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
    """A call of one participant."""

    caller: str
    """Identity, as LiveKit's server knows it."""
    payload: str


class CallRefused(PalabraAgentError):
    """Ends a call with a sentence instead of an answer."""

    def __init__(self, code: int, sentence: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(code, sentence)
        self.code = code
        """In the manner of HTTP: 400 wrong, 403 not allowed, 404 not there, 503 not now."""
        self.sentence = sentence
        self.data = data
        """Facts that an app may want besides."""

    def __str__(self) -> str:
        return self.sentence


Method: TypeAlias = Callable[[Call], Awaitable[Mapping[str, Any]]]
"""Answers a call, or raises `CallRefused`."""


class RpcMethods:
    """The methods of one room; before and after they are served, calls are refused."""

    def __init__(self) -> None:
        self._running: _RunningCalls | None = None
        self._refusal = _NOT_READY

    def refuse_with(self, sentence: str) -> None:
        """Refuse calls with this sentence while no methods are served."""
        self._refusal = sentence

    @asynccontextmanager
    async def serving(self, methods: Mapping[str, Method]) -> AsyncGenerator[None]:
        """Answer calls for the length of a block; those under way at its end are given up."""
        async with asyncio.TaskGroup() as group:
            self._running = running = _RunningCalls(methods, group)
            try:
                yield
            finally:
                self._running, self._refusal = None, _ENDED
                running.cancel()

    async def answer(self, name: str, invocation: rtc.RpcInvocationData) -> str:
        """Answer a call as the SDK wants it answered.

        Raises:
            RpcError: There is no answer but this.
        """
        call = Call(invocation.caller_identity, invocation.payload)
        try:
            if self._running is None:
                raise CallRefused(503, self._refusal)

            return await self._running.answer(name, call)
        except CallRefused as refused:
            data = fitting(refused.data) if refused.data else None
            raise rtc.RpcError(refused.code, short(refused.sentence), data) from None


@dataclass(slots=True)
class _RunningCalls:
    """The calls that are being answered, each in a task."""

    methods: Mapping[str, Method]
    group: asyncio.TaskGroup
    tasks: set[asyncio.Task[str | CallRefused]] = field(
        default_factory=set[asyncio.Task[str | CallRefused]]
    )

    async def answer(self, name: str, call: Call) -> str:
        """Answer a call; a caller who stops waiting does not end it."""
        if len(self.tasks) >= _MOST_CALLS:
            raise CallRefused(429, f"{_MOST_CALLS} calls are being answered already; try again")

        task = self.group.create_task(_outcome(self.methods[name], name, call), name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        await asyncio.wait([task])
        if task.cancelled():
            raise CallRefused(503, _ENDED)

        outcome = task.result()
        if isinstance(outcome, CallRefused):
            raise outcome

        return outcome

    def cancel(self) -> None:
        """Give up all of them."""
        for task in self.tasks:
            task.cancel()


async def _outcome(method: Method, name: str, call: Call) -> str | CallRefused:
    """Answer or refuse a call; errors stay here, for they may hold what a person wrote."""
    try:
        return fitting(await method(call))
    except CallRefused as refused:
        return refused
    except Exception as error:  # noqa: BLE001 - the fence around what every participant may call
        log_failure(logger, "a call could not be answered", error, method=name)
        return CallRefused(500, "the interpreter could not answer this; its log says why")


@asynccontextmanager
async def open_methods(room: rtc.Room, names: Sequence[str]) -> AsyncGenerator[RpcMethods]:
    """Let the participants of a connected room call methods for the length of a block."""
    methods, participant = RpcMethods(), room.local_participant
    for name in names:
        participant.register_rpc_method(name, partial(methods.answer, name))

    try:
        yield methods
    finally:
        for name in names:
            participant.unregister_rpc_method(name)


def short(sentence: str) -> str:
    """Cut a sentence to what fits into an error's message."""
    encoded = one_line(sentence, _LARGEST_SENTENCE).encode()
    if len(encoded) <= _LARGEST_SENTENCE:
        return encoded.decode()

    return encoded[: _LARGEST_SENTENCE - len("…".encode())].decode(errors="ignore") + "…"


def fitting(answer: Mapping[str, Any]) -> str:
    """Encode an answer as JSON; where it is too large, lists lose their ends, and it says how much.

    Facts that are not in a list are short by themselves.
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
    """Encode as JSON, which shows all that is in it wherever it is printed.

    Halves of surrogate pairs, which UTF-8 may not hold, are replaced.
    """
    text = json.dumps(value, ensure_ascii=False).encode(errors="replace").decode()
    if not text.isprintable():
        text = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)

    return text.encode()
