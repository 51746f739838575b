"""One plugin in one room: opened, kept open and closed in a task of its own.

Its mistakes become `PluginError`s, which are all that the rest of the room learns of them.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any, Final, cast

from palabra_agent.capabilities.capability import (
    AnswerT,
    AnyCapability,
    FirstAnswer,
    Passed,
    RequestT,
    TellAll,
    a_kind_of,
)
from palabra_agent.errors import Phase, PluginError
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import RoomInfo
from palabra_agent.plugins_host.asking import (
    CALL_SECONDS,
    PluginCalls,
    PluginTask,
    Telling,
    error_names,
)
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from palabra_agent.plugins_host.records import ErrorLog

OPEN_SECONDS: Final = 3.0
"""The deadline for a plugin to open."""
CLOSE_SECONDS: Final = 0.5
"""The time in which all plugins of a room together must close."""

logger = logging.getLogger(__name__)


class OpenPlugin:
    """A plugin in a room, from its opening to its end; a broken one is passed over."""

    def __init__(
        self,
        plugin: ConfiguredPlugin,
        capabilities: Sequence[AnyCapability],
        on_error: Callable[[PluginError], None],
    ) -> None:
        self.plugin = plugin
        self.name = plugin.name
        """Tells it from the other plugins of the room."""
        self.settled = asyncio.Event()
        """Set when it is open, or is known not to be."""
        self._life: PluginTask[None] | None = None
        self._opened: object = None
        self._error: PluginError | None = None
        """The reason to pass it over from now on."""
        self._known = tuple(capabilities)
        self._capabilities = set(capabilities)
        self._closing = asyncio.Event()
        self._errors = ErrorLog(on_error)
        self._calls = PluginCalls(self._errors)
        self._tellings: dict[TellAll[Any], Telling[Any]] = {
            it: Telling(self._calls, it) for it in capabilities if isinstance(it, TellAll)
        }

    @property
    def is_open(self) -> bool:
        """True while it can be asked."""
        return self._opened is not None

    def may_have(self, capability: AnyCapability) -> bool:
        """Tell if it has a capability; one that never opened might have had any."""
        return capability in self._capabilities

    def open(self, room: str, languages: Sequence[LanguageCode]) -> None:
        """Begin to open it; `settled` tells when that is over, which it is within the deadline."""
        if self._closing.is_set():
            return

        info = RoomInfo(room, self.plugin.settings, tuple(languages))
        life = self._life = PluginTask(partial(self._live, info), f"plugin {self.name}")
        giving_up = asyncio.get_running_loop().call_later(OPEN_SECONDS, self._give_up, life)
        life.task.add_done_callback(lambda _task: giving_up.cancel())
        life.task.add_done_callback(lambda _task: self._end(life))

    async def ask(
        self, capability: FirstAnswer[RequestT, AnswerT], request: RequestT
    ) -> AnswerT | Passed:
        """Ask it something; for one that is about to open this waits a moment.

        Raises:
            PluginError: It gave no answer that can be used, or cannot be asked now.
        """
        if not self.settled.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CALL_SECONDS):
                    await self.settled.wait()

        if self._error is not None:
            raise PluginError(self.name, self._error.phase, self._error.reason)

        if self._opened is None:
            raise PluginError(self.name, Phase.CALL, "is not open")

        return await self._calls.ask(self.name, self._opened, capability, request)

    def tell(self, capability: TellAll[RequestT], event: RequestT) -> None:
        """Let an event wait for it, if it has the capability or may turn out to; never waits."""
        if self._error is None and self.may_have(capability):
            self._tellings[capability].put(event)

    async def heard(self) -> None:
        """Wait until it has heard all events, or rests."""
        if self._opened is not None:
            for telling in self._tellings.values():
                await telling.heard()

    async def finish_answers(self, seconds: float) -> None:
        """Wait until it has answered its present questions."""
        if self._calls.running:
            await asyncio.wait([it.task for it in self._calls.running], timeout=seconds)

    def close(self, tell_until: float) -> None:
        """Begin to close it; it is still told events that wait, as far as there is time."""
        self._closing.set()
        for telling in self._tellings.values():
            telling.close(tell_until)

        if self._life is None:
            self.settled.set()
        elif not self.settled.is_set():
            self._life.task.cancel()

    async def closes_within(self, seconds: float) -> bool:
        """Wait until it is closed; true if that was in time."""
        return self._life is None or await self._life.ends_within(seconds)

    async def stop(self, seconds: float) -> None:
        """Cancel whatever of it goes on, and give it some time to heed that."""
        if self._life is not None and not self._life.is_over:
            self._fail(Phase.CLOSE, f"did not close within {CLOSE_SECONDS:g} s")

        running = [it.task for it in self._running()]
        for task in running:
            task.cancel()

        if running:
            await asyncio.wait(running, timeout=seconds)

    def let_go(self) -> None:
        """End what is left of it, although it ignores its cancellation."""
        heedless = self._running()
        for task in heedless:
            task.let_go()

        if heedless:
            self._fail(Phase.CLOSE, "heeded no cancellation")

    def _running(self) -> list[PluginTask[Any]]:
        tasks = [*self._calls.running, *([self._life] if self._life else [])]
        return [task for task in tasks if not task.is_over]

    async def _live(self, info: RoomInfo[Any]) -> None:
        context = cast("object", self.plugin.recipe.open(info, self.plugin.config))
        if not isinstance(context, AbstractAsyncContextManager):
            self._refuse(context)
            return

        async with context as opened:
            # it may have taken so long that it was given up
            if self._error is None and self._admit(opened):
                await self._stay(opened)

    def _give_up(self, life: PluginTask[None]) -> None:
        """Pass it over if it has not opened by now."""
        if not self.settled.is_set():
            self._fail(Phase.OPEN, f"did not open within {OPEN_SECONDS:g} s")
            self.settled.set()
            life.task.cancel()

    def _refuse(self, context: object) -> None:
        if inspect.iscoroutine(context):
            context.close()

        is_async = inspect.iscoroutine(context) or inspect.isasyncgen(context)
        hint = ": is @asynccontextmanager missing?" if is_async else ""
        self._fail(Phase.OPEN, f"gave {a_kind_of(context)}, not an async context manager{hint}")

    def _admit(self, opened: object) -> bool:
        found = {
            it
            for it in self._known
            if isinstance(opened, it.protocol) and callable(getattr(opened, it.method, None))
        }
        if isinstance(opened, type):
            self._fail(Phase.OPEN, f"opened the class {opened.__name__}, not an instance of it")
        elif not found:
            self._fail(Phase.OPEN, f"opened {a_kind_of(opened)}, which has no capability")
        else:
            self._capabilities = found

        return self._error is None

    async def _stay(self, opened: object) -> None:
        self._opened = opened
        self.settled.set()
        logger.info("plugin opened", extra={"plugin": self.name})
        try:
            async with asyncio.TaskGroup() as group:
                for capability, telling in self._tellings.items():
                    if capability in self._capabilities:
                        name = f"tell {self.name}: {capability.method}"
                        group.create_task(telling.run(self.name, opened), name=name)

                await self._closing.wait()
        finally:
            self._opened = None

    def _end(self, life: PluginTask[None]) -> None:
        """Note the error that ended it, unless that is known or was asked for."""
        if self._error is None:
            self._judge(life.error)

        self._errors.sum_up(self.name)
        self.settled.set()

    def _judge(self, error: BaseException | None) -> None:
        was_open, is_closing = self.settled.is_set(), self._closing.is_set()
        if not was_open and is_closing:
            return  # its room ended before it had opened

        broke = f"broke: {error_names(error)}" if error is not None else "ended by itself"
        if not was_open:
            self._fail(Phase.OPEN, broke + self._missing_methods(error), error)
        elif not is_closing:
            self._fail(Phase.OPEN, f"{broke}, while it was open", error)
        elif error is not None:
            self._fail(Phase.CLOSE, broke, error)

    def _missing_methods(self, error: BaseException | None) -> str:
        """Name the methods that a class lacks, where it can have no instance because of that."""
        words = str(error) if isinstance(error, TypeError) else ""
        if not words.startswith("Can't instantiate abstract class "):
            return ""

        lacking = [it.method for it in self._known if it.method in words]
        return f": the class lacks {' and '.join(lacking)}" if lacking else ""

    def _fail(self, phase: Phase, reason: str, cause: BaseException | None = None) -> None:
        self._error = PluginError(self.name, phase, reason)
        self._error.__cause__ = cause
        level = logging.WARNING if phase is Phase.CLOSE else logging.ERROR
        self._errors.note(self._error, level=level)
