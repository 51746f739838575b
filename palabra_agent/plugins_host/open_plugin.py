"""One plugin in one room: opened, asked, told, and closed, each in time or given up.

Its mistakes become `PluginError`s, which are all that the rest of the room learns of them. One that
gave no answer in time rests for a minute.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Any, Final, TypeVar, cast

from palabra_agent.capabilities.capability import (
    AnswerT,
    AnyCapability,
    FirstAnswer,
    Passed,
    RequestT,
    TellAll,
    WrongAnswer,
    a_kind_of,
)
from palabra_agent.errors import Phase, PluginError
from palabra_agent.failures import error_names
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import RoomInfo
from palabra_agent.plugins_host.configuring import REST_SECONDS, ConfiguredPlugin
from palabra_agent.plugins_host.records import ErrorLog
from palabra_agent.plugins_host.tasks import PluginTask
from palabra_agent.plugins_host.waiting_events import WaitingEvents
from palabra_agent.texts import one_line

T = TypeVar("T")

OPEN_SECONDS: Final = 3.0
"""The deadline for a plugin to open."""
CALL_SECONDS: Final = 1.0
"""The deadline of an answer."""
CLOSE_SECONDS: Final = 0.5
"""The time in which all plugins of a room together must close."""
HEED_SECONDS: Final = (0.06, 0.02, 0.02)
"""The time in which a plugin must have heeded each of its cancellations."""

_LONGEST_ANNOUNCEMENT: Final = 300

_IN_TIME: Final = f"within {CALL_SECONDS:g} s"

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
        self.announcement = ""
        """What people are to be told while it is open; empty for nothing."""
        self.settled = asyncio.Event()
        """Set when it is open, or is known not to be."""
        self.calls: set[asyncio.Task[Any]] = set()
        """Those under way."""
        self._life: PluginTask[None] | None = None
        self._opened: object = None
        self._error: PluginError | None = None
        """The reason to pass it over from now on."""
        self._known = tuple(capabilities)
        self._capabilities = set(capabilities)
        """Those that it has; until it opens, all that it may have."""
        self._waiting: dict[TellAll[Any], WaitingEvents[Any]] = {
            it: WaitingEvents(it) for it in capabilities if isinstance(it, TellAll)
        }
        self._rest_ends: dict[str, float] = {}
        """The end of its rest from each method that gave no answer."""
        self._closing = asyncio.Event()
        self._tell_until = math.inf
        self._errors = ErrorLog(on_error)
        self._now = asyncio.get_running_loop().time

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
        life.task.add_done_callback(lambda _task: self._end(life.error))

    async def ask(
        self, capability: FirstAnswer[RequestT, AnswerT], request: RequestT
    ) -> AnswerT | Passed:
        """Ask it something; one that gives no answer that can be used is passed over.

        For one that is about to open this waits a moment.
        """
        if not self.settled.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CALL_SECONDS):
                    await self.settled.wait()

        if self._error is not None:
            return Passed(self._error.reason)
        if self._opened is None:
            return Passed("is not open")

        return await self._call(capability, request, capability.accept)

    def tell(self, capability: TellAll[RequestT], event: RequestT) -> None:
        """Let an event wait for it, if it has the capability or may turn out to; never waits."""
        is_told = self._error is None and not self._closing.is_set()
        if is_told and self.may_have(capability):
            self._waiting[capability].put(event)

    async def heard(self) -> None:
        """Wait until it has heard all events, or rests."""
        if self.is_open:
            for waiting in self._waiting.values():
                await waiting.idle.wait()

    def close(self, tell_until: float) -> None:
        """Begin to close it; until then, on the loop's clock, it is told events that wait."""
        self._tell_until = tell_until
        self._closing.set()
        for waiting in self._waiting.values():
            waiting.changed.set()

        if self._life is None:
            self.settled.set()
        elif not self.settled.is_set():
            self._life.task.cancel()

    async def closes_within(self, seconds: float) -> bool:
        """Wait until it is closed; true if that was in time."""
        return self._life is None or await self._life.ends_within(seconds)

    async def stop(self) -> None:
        """Cancel whatever of it goes on, a few times; what ignores that is left behind."""
        if self._life is not None and not self._life.is_over:
            self._fail(Phase.CLOSE, f"did not close within {CLOSE_SECONDS:g} s")

        going_on = {*self.calls, *([self._life.task] if self._life else [])}
        for seconds in HEED_SECONDS:
            going_on = {task for task in going_on if not task.done()}
            if going_on:
                for task in going_on:
                    task.cancel()
                _, going_on = await asyncio.wait(going_on, timeout=seconds)

        if going_on:
            self._fail(Phase.CLOSE, "heeded no cancellation")

    async def _live(self, info: RoomInfo[Any]) -> None:
        self._announce(info)
        if self._error is not None:
            return

        context = cast("object", self.plugin.recipe.open(info, self.plugin.config))
        if not isinstance(context, AbstractAsyncContextManager):
            self._fail(Phase.OPEN, _objection_to_context(context))
            return

        async with context as opened:
            # it may have taken so long that it was given up
            if self._error is None and self._admits(opened):
                await self._stay(opened)

    def _announce(self, info: RoomInfo[Any]) -> None:
        """Learn what people are to be told; one that cannot say it is not opened."""
        announce = self.plugin.recipe.announce
        config = self.plugin.config
        said = cast("object", None if announce is None else announce(info, config))
        if said is not None and not isinstance(said, str):
            self._fail(Phase.OPEN, f"announced {a_kind_of(said)}, not a str")
        else:
            self.announcement = one_line(said or "", _LONGEST_ANNOUNCEMENT)

    def _give_up(self, life: PluginTask[None]) -> None:
        """Pass it over if it has not opened by now."""
        if not self.settled.is_set():
            self._fail(Phase.OPEN, f"did not open within {OPEN_SECONDS:g} s")
            self.settled.set()
            life.task.cancel()

    def _admits(self, opened: object) -> bool:
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
            self._waiting = {it: waiting for it, waiting in self._waiting.items() if it in found}

        return self._error is None

    async def _stay(self, opened: object) -> None:
        """Be open until it is to close, and everything that waits was told or is too late."""
        self._opened = opened
        self.settled.set()
        logger.info("plugin opened", extra={"plugin": self.name})
        try:
            async with asyncio.TaskGroup() as group:
                telling = [
                    group.create_task(self._tell_all(it, waiting), name=f"tell {self.name}")
                    for it, waiting in self._waiting.items()
                ]
                await self._closing.wait()
                if telling:
                    await asyncio.wait(telling, timeout=self._tell_until - self._now())
                for task in telling:
                    task.cancel()
        finally:
            self._opened = None

    async def _tell_all(
        self, capability: TellAll[RequestT], waiting: WaitingEvents[RequestT]
    ) -> None:
        """Tell it events in order, until it is to close; a rest only delays what may wait."""
        try:
            while True:
                rest_end = self._rest_end(capability)
                if waiting and rest_end is None:
                    waiting.idle.clear()
                    await self._call(capability, waiting.pop(), lambda _answer, _event: None)
                elif self._closing.is_set():
                    return
                else:
                    waiting.idle.set()
                    waiting.changed.clear()
                    with suppress(TimeoutError):
                        async with asyncio.timeout_at(rest_end):
                            await waiting.changed.wait()
        finally:
            waiting.idle.set()
            if waiting.untold:
                facts = {"plugin": self.name, "count": waiting.untold}
                logger.warning("transcripts were not told to a plugin", extra=facts)

    def _rest_end(self, capability: AnyCapability) -> float | None:
        """Give the end of its rest, for it gave no answer in time; None where it may be called."""
        end = self._rest_ends.get(capability.method, -math.inf)
        return end if self._now() < end else None

    async def _call(
        self,
        capability: AnyCapability,
        request: RequestT,
        accept: Callable[[object, RequestT], T],
    ) -> T | Passed:
        """Call it within the deadline, and judge what it answers; it is passed over if it rests."""
        if self._rest_end(capability) is not None:
            return Passed(f"rests, for it gave no answer {_IN_TIME}")

        calling = partial(_answer, self._opened, capability.method, request, accept)
        call_task = PluginTask(calling, f"plugin {self.name}: {capability.method}")
        self.calls.add(call_task.task)
        call_task.task.add_done_callback(self.calls.discard)
        try:
            is_over = await call_task.ends_within(CALL_SECONDS)
        finally:
            call_task.task.cancel()

        if not is_over:
            self._rest_ends[capability.method] = self._now() + REST_SECONDS
            return Passed(self._noted(Phase.CALL, f"gave no answer {_IN_TIME}").reason)

        self._rest_ends.pop(capability.method, None)
        error = call_task.error
        if error is not None:
            is_wrong = isinstance(error, WrongAnswer)
            reason = str(error) if is_wrong else f"broke: {error_names(error)}"
            return Passed(self._noted(Phase.CALL, reason, error).reason)

        return call_task.result

    def _end(self, error: BaseException | None) -> None:
        """Note the error that ended its life, unless that is known or was asked for."""
        was_open, is_closing = self.settled.is_set(), self._closing.is_set()
        broke = "ended by itself" if error is None else f"broke: {error_names(error)}"
        was_asked_for = is_closing and (error is None or not was_open)
        if self._error is None and not was_asked_for:
            if not was_open:
                self._fail(Phase.OPEN, broke + self._missing_methods(error), error)
            elif is_closing:
                self._fail(Phase.CLOSE, broke, error)
            else:
                self._fail(Phase.OPEN, f"{broke}, while it was open", error)

        self._errors.sum_up(self.name)
        self.settled.set()

    def _missing_methods(self, error: BaseException | None) -> str:
        """Name the methods that a class lacks, where it can have no instance because of that."""
        words = str(error) if isinstance(error, TypeError) else ""
        if not words.startswith("Can't instantiate abstract class "):
            return ""

        lacking = [it.method for it in self._known if it.method in words]
        return f": the class lacks {' and '.join(lacking)}" if lacking else ""

    def _fail(self, phase: Phase, reason: str, cause: BaseException | None = None) -> None:
        """Pass it over from now on."""
        level = logging.WARNING if phase is Phase.CLOSE else logging.ERROR
        self._error = self._noted(phase, reason, cause, level)

    def _noted(
        self,
        phase: Phase,
        reason: str,
        cause: BaseException | None = None,
        level: int = logging.WARNING,
    ) -> PluginError:
        error = PluginError(self.name, phase, reason)
        error.__cause__ = cause
        self._errors.note(error, level=level)
        return error


async def _answer(
    opened: object, method: str, request: RequestT, accept: Callable[[object, RequestT], T]
) -> T:
    """Call a plugin's method, and judge what it answers."""
    answer = getattr(opened, method)(request)
    if not inspect.isawaitable(answer):
        raise WrongAnswer(f"returned {type(answer).__name__} instead of something to await")

    return accept(await answer, request)


def _objection_to_context(context: object) -> str:
    """Say what a recipe gave instead of an async context manager."""
    if inspect.iscoroutine(context):
        context.close()

    is_async = inspect.iscoroutine(context) or inspect.isasyncgen(context)
    hint = ": is @asynccontextmanager missing?" if is_async else ""
    return f"gave {a_kind_of(context)}, not an async context manager{hint}"
