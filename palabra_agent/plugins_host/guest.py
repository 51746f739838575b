"""One plugin in one room: opened, kept and closed in a task of its own.

What it does wrong becomes a `PluginError`, which is all that anybody else learns of it.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any, Final, TypeVar, cast

from palabra_agent.errors import Phase, PluginError
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import RoomInfo, TranscriptEvent
from palabra_agent.plugins_host.asking import CALL_SECONDS, Asking
from palabra_agent.plugins_host.configured import ConfiguredPlugin
from palabra_agent.plugins_host.failure_log import FailureLog
from palabra_agent.plugins_host.fences import Errand, Errands, a_kind_of, what_broke
from palabra_agent.plugins_host.listening import Listening
from palabra_agent.plugins_host.questions import (
    ON_TRANSCRIPT,
    QUESTIONS,
    Question,
    questions_for,
    what_is_missing,
)

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")

OPEN_SECONDS: Final = 3.0
"""What a plugin may take to open."""
CLOSE_SECONDS: Final = 0.5
"""What all plugins of a room together may take to close."""

logger = logging.getLogger(__name__)


class Guest:
    """A plugin in a room, whatever becomes of it."""

    def __init__(
        self,
        plugin: ConfiguredPlugin,
        group: asyncio.TaskGroup,
        on_failure: Callable[[PluginError], None],
    ) -> None:
        self.plugin = plugin
        self.name = plugin.name
        """How people tell it from the others of the room."""
        self.settled = asyncio.Event()
        """Set when it is open, or is known not to be."""
        self._errands = Errands(group)
        self._life: Errand[None] | None = None
        self._opened: object = None
        self._failure: PluginError | None = None
        """Why it is passed over from now on."""
        self._questions: frozenset[Question[Any, Any]] = frozenset(QUESTIONS)
        self._closing = asyncio.Event()
        self._log = FailureLog(on_failure)
        self._asking = Asking(self._errands, self._log)
        self._listening = Listening(self._asking)

    @property
    def is_open(self) -> bool:
        """Whether it can be asked."""
        return self._opened is not None

    def may_answer(self, question: Question[Any, Any]) -> bool:
        """Whether it has a capability; of one that never opened nobody knows."""
        return question in self._questions

    def open(self, room: str, languages: Sequence[LanguageCode]) -> None:
        """Begin to open it; `settled` tells when that is over, which it is within the deadline."""
        if self._closing.is_set():
            return

        info = RoomInfo(room, self.plugin.settings, tuple(languages))
        self._life = self._errands.start(partial(self._live, info), f"plugin {self.name}")
        giving_up = asyncio.get_running_loop().call_later(OPEN_SECONDS, self._give_up, self._life)
        self._life.when_over(lambda _life: giving_up.cancel())
        self._life.when_over(self._end)

    async def ask(self, question: Question[AskedT, AnswerT], asked: AskedT) -> AnswerT:
        """Ask it something; for one that is about to open this waits a moment.

        Raises:
            PluginError: It gave no answer that could be used, or cannot be asked now.
        """
        if not self.settled.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CALL_SECONDS):
                    await self.settled.wait()

        if self._failure is not None:
            raise PluginError(self.name, self._failure.phase, self._failure.reason)

        if self._opened is None:
            raise PluginError(self.name, Phase.CALL, "is not open")

        return await self._asking.ask(self.name, self._opened, question, asked)

    def tell(self, event: TranscriptEvent) -> None:
        """Let an event wait for it, where it listens or may turn out to; never waits."""
        if self._failure is None and self.may_answer(ON_TRANSCRIPT):
            self._listening.put(event)

    async def heard(self) -> None:
        """Wait until it has heard what it was told, or rests."""
        if self._opened is not None:
            await self._listening.heard()

    async def finish_answers(self, seconds: float) -> None:
        """Wait until what is asked of it now is answered."""
        await self._errands.wait(seconds, without=self._life)

    def close(self, hear_until: float) -> None:
        """Begin to close it; what it was told it still hears, as far as there is time."""
        self._closing.set()
        self._listening.close(hear_until)
        if self._life is None:
            self.settled.set()
        elif not self.settled.is_set():
            self._errands.cancel()

    async def wait_closed(self, seconds: float) -> bool:
        """Wait until it is closed; whether that was in time."""
        return self._life is None or await self._life.wait(seconds)

    async def stop(self, seconds: float) -> None:
        """Stop whatever of it goes on, and wait until it has heeded that."""
        if self._life is not None and not self._life.is_over:
            self._fail(Phase.CLOSE, f"did not close within {CLOSE_SECONDS:g} s")

        self._errands.cancel()
        await self._errands.wait(seconds)

    def let_go(self) -> None:
        """End what is left of it, although it heeds nothing."""
        if self._errands.let_go():
            self._fail(Phase.CLOSE, "heeded no cancellation")

    async def _live(self, info: RoomInfo[Any]) -> None:
        context = cast("object", self.plugin.recipe.open(info, self.plugin.config))
        if not isinstance(context, AbstractAsyncContextManager):
            self._refuse(context)
            return

        async with context as opened:
            # it may have taken so long that it was given up
            if self._failure is None and self._admit(opened):
                await self._stay(opened)

    def _give_up(self, life: Errand[None]) -> None:
        """Pass it over if it has not opened by now."""
        if not self.settled.is_set():
            self._fail(Phase.OPEN, f"did not open within {OPEN_SECONDS:g} s")
            self.settled.set()
            life.cancel()

    def _refuse(self, context: object) -> None:
        if inspect.iscoroutine(context):
            context.close()

        is_async = inspect.iscoroutine(context) or inspect.isasyncgen(context)
        hint = ": is @asynccontextmanager missing?" if is_async else ""
        self._fail(Phase.OPEN, f"gave {a_kind_of(context)}, not an async context manager{hint}")

    def _admit(self, opened: object) -> bool:
        found = questions_for(opened)
        if isinstance(opened, type):
            self._fail(Phase.OPEN, f"opened the class {opened.__name__}, not an instance of it")
        elif not found:
            self._fail(Phase.OPEN, f"opened {a_kind_of(opened)}, which has no capability")
        else:
            self._questions = found

        return self._failure is None

    async def _stay(self, opened: object) -> None:
        self._opened = opened
        self.settled.set()
        logger.info("plugin opened", extra={"plugin": self.name})
        try:
            if self.may_answer(ON_TRANSCRIPT):
                await self._listening.run(self.name, opened)

            await self._closing.wait()
        finally:
            self._opened = None

    def _end(self, life: Errand[None]) -> None:
        """Say what ended it, unless that is known or was asked for."""
        try:
            if self._failure is None:
                self._judge(life.error)

            self._log.sum_up(self.name)
        finally:
            self.settled.set()

    def _judge(self, error: BaseException | None) -> None:
        was_open, is_closing = self.settled.is_set(), self._closing.is_set()
        if not was_open and is_closing:
            return  # its room ended before it had opened

        broke = f"broke: {what_broke(error)}" if error is not None else "ended by itself"
        if not was_open:
            self._fail(Phase.OPEN, broke + what_is_missing(error), error)
        elif not is_closing:
            self._fail(Phase.OPEN, f"{broke}, while it was open", error)
        elif error is not None:
            self._fail(Phase.CLOSE, broke, error)

    def _fail(self, phase: Phase, reason: str, cause: BaseException | None = None) -> None:
        self._failure = PluginError(self.name, phase, reason)
        self._failure.__cause__ = cause
        level = logging.WARNING if phase is Phase.CLOSE else logging.ERROR
        self._log.note(self._failure, level=level)
