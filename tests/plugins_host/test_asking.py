"""A plugin's code in a task of its own, and the events that wait for one."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.capabilities.capability import TellAll, a_kind_of
from palabra_agent.plugins_host.asking import PluginCalls, PluginTask, Telling, error_names
from palabra_agent.plugins_host.records import ErrorLog
from tests.clock import in_jumping_time
from tests.plugins_host.opened import heed_nothing, never

pytestmark = pytest.mark.unit


class _OwnBase(BaseException):
    pass


ERRORS = [
    ValueError("secret"),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    _OwnBase(),
    StopAsyncIteration(),
    BaseExceptionGroup("secret", [ValueError(), KeyboardInterrupt()]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_no_error_leaves_its_task(error: BaseException) -> None:
    """An error of any class is a fact about the task, and is raised nowhere."""

    async def work() -> None:
        raise error

    @in_jumping_time
    async def run() -> None:
        task = PluginTask(work, "plugin")
        assert await task.ends_within(1.0)

        assert task.error is error

    run()


@in_jumping_time
async def test_a_task_brings_its_result() -> None:
    """What the plugin returns is there when it is over."""

    async def work() -> int:
        await asyncio.sleep(0.5)
        return 5

    task = PluginTask(work, "plugin")

    assert not await task.ends_within(0.4)
    assert await task.ends_within(0.2)
    assert task.result == 5
    assert task.error is None


@in_jumping_time
async def test_a_plugin_may_cancel_itself() -> None:
    """A task that was cancelled from within says so, and cancels nobody else."""

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)

    task = PluginTask(work, "plugin")
    assert await task.ends_within(1.0)

    assert isinstance(task.error, asyncio.CancelledError)


@in_jumping_time
async def test_a_task_may_be_cancelled_before_it_began() -> None:
    """Nothing is left of one that never ran, not even a warning."""
    task = PluginTask(never, "plugin")
    task.task.cancel()
    assert await task.ends_within(1.0)


@in_jumping_time
async def test_who_heeds_a_cancellation_may_clean_up() -> None:
    """A cancelled plugin ends in its own way."""
    steps: list[str] = []

    async def work() -> None:
        try:
            await never()
        finally:
            await asyncio.sleep(0.05)
            steps.append("cleaned up")

    task = PluginTask(work, "plugin")
    await asyncio.sleep(0)
    task.task.cancel()
    assert await task.ends_within(1.0)

    assert steps == ["cleaned up"]


@in_jumping_time
async def test_one_that_ignores_cancellations_is_let_go() -> None:
    """It is ended where it waits."""
    task = PluginTask(heed_nothing, "plugin")
    await asyncio.sleep(0)
    task.task.cancel()
    assert not await task.ends_within(1.0)

    task.let_go()
    assert await task.ends_within(1.0)


@in_jumping_time
async def test_one_that_catches_everything_is_left_behind() -> None:
    """Letting go of it takes no time, and harms neither the caller nor other tasks."""
    hold_on = True

    async def work() -> None:
        while hold_on:
            try:
                await asyncio.sleep(1.0)
            except BaseException:  # noqa: BLE001, S112 - that is the mistake
                continue

    task = PluginTask(work, "plugin")
    await asyncio.sleep(0)
    task.let_go()

    assert not await task.ends_within(0.5)
    hold_on = False
    assert await task.ends_within(2.0)


@in_jumping_time
async def test_a_plugin_works_as_in_any_task() -> None:
    """Deadlines, groups and threads of the plugin's own work as ever."""

    async def work() -> list[object]:
        found: list[object] = [await asyncio.to_thread(lambda: 1)]
        try:
            async with asyncio.timeout(0.5):
                await never()
        except TimeoutError:
            found.append(2)

        async with asyncio.TaskGroup() as inner:
            task = inner.create_task(asyncio.sleep(0.5, 3))
        return [*found, task.result()]

    task = PluginTask(work, "plugin")
    await task.ends_within(100.0)

    assert task.result == [1, 2, 3]


def test_errors_are_named_without_their_words() -> None:
    """Of a group the errors in it are named."""
    group = BaseExceptionGroup("secret", [ValueError("secret"), ExceptionGroup("", [OSError()])])

    assert error_names(ValueError("secret")) == "ValueError"
    assert error_names(group) == "ValueError, OSError"


@pytest.mark.parametrize(
    ("thing", "expected"), [(5, "an int"), ("x", "a str"), (None, "None"), ([], "a list")]
)
def test_classes_have_articles(thing: object, expected: str) -> None:
    """Sentences read as such."""
    assert a_kind_of(thing) == expected


def test_time_in_which_everything_stood_still_does_not_count() -> None:
    """Whoever waits is not taken for one that hangs, because another computed for seconds."""

    async def work() -> None:
        for _ in range(10):
            await asyncio.sleep(0.001)

    async def run() -> None:
        task = PluginTask(work, "plugin")
        await asyncio.sleep(0.001)
        asyncio.get_running_loop().call_soon(time.sleep, 0.3)

        assert await task.ends_within(0.1)

    asyncio.run(run())


@in_jumping_time
async def test_who_hangs_while_nothing_stands_still_gets_no_more_time() -> None:
    """The deadline is what it says."""
    task = PluginTask(never, "plugin")
    began = asyncio.get_running_loop().time()
    assert not await task.ends_within(1.0)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0, abs=0.001)
    task.task.cancel()


NUMBERS: TellAll[int] = TellAll(
    object, "on_number", is_expendable=lambda number: number < 0, most_waiting=9
)


class Listener:
    """Notes the numbers that it is told."""

    def __init__(self) -> None:
        self.told: list[int] = []

    async def on_number(self, number: int) -> None:
        """Take note."""
        self.told.append(number)


async def _told(*numbers: int) -> list[int]:
    """Let numbers wait, and have a plugin told those that are left."""
    telling, listener = Telling(PluginCalls(ErrorLog(lambda error: None)), NUMBERS), Listener()
    for number in numbers:
        telling.put(number)

    telling.close(tell_until=0.0)
    telling.put(1000)
    await telling.run("plugin", listener)
    return listener.told


@given(st.lists(st.booleans(), max_size=60))
def test_the_newest_are_told_in_order(are_kept: list[bool]) -> None:
    """Never too many wait; the order is kept, and expendable ones go first."""
    numbers = [it if is_kept else -it for it, is_kept in enumerate(are_kept, 1)]
    told = asyncio.run(_told(*numbers))

    left_out = [it for it in numbers if it not in told]
    assert len(told) == min(len(numbers), NUMBERS.most_waiting)
    assert told == [it for it in numbers if it in told]
    if any(it > 0 for it in left_out):
        first_expendable = next((at for at, it in enumerate(told) if it < 0), len(told))
        assert first_expendable + len(left_out) >= NUMBERS.most_waiting


@pytest.mark.parametrize(
    ("put", "told"),
    [
        ([1, -2, -3, *range(4, 11)], [1, -3, *range(4, 11)]),
        (list(range(12)), list(range(3, 12))),
    ],
    ids=["the oldest expendable goes first", "else the oldest"],
)
async def test_the_oldest_go_first(
    put: list[int], told: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    """An event that is not expendable is kept as long as there is anything else; all count."""
    assert await _told(*put) == told
    (line,) = caplog.records
    assert vars(line)["count"] == len(put) - len(told)
