"""A plugin's code in a task of its own, which no error leaves and no one can force to end."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref

import pytest

from palabra_agent.capabilities.capability import a_kind_of
from palabra_agent.plugins_host.tasks import PluginTask
from tests.clock import eventually, in_jumping_time
from tests.plugins_host.opened import STUBBORN_SECONDS, heed_nothing, never

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
async def test_one_that_ignores_its_cancellation_goes_on() -> None:
    """Nothing ends it before it will; a wait for it takes no longer than was said."""
    task = PluginTask(heed_nothing, "plugin")
    await asyncio.sleep(0)
    for _ in range(3):
        task.task.cancel()
        assert not await task.ends_within(0.1)

    assert await task.ends_within(STUBBORN_SECONDS)


@in_jumping_time
async def test_one_that_is_left_behind_is_not_destroyed() -> None:
    """It goes on to its end although nothing else refers to it any more."""
    ended: list[str] = []
    steps: list[weakref.ref[asyncio.Future[None]]] = []

    async def work() -> None:
        step: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        steps.append(weakref.ref(step))
        await step
        ended.append("by itself")

    PluginTask(work, "plugin")
    await eventually(lambda: steps)
    gc.collect()
    step = steps[0]()
    assert step is not None, "destroyed while it waits"
    step.set_result(None)
    await eventually(lambda: ended)


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
