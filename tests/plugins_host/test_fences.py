"""Whatever a stranger raises stays in its task, and none of it holds us up."""

from __future__ import annotations

import asyncio
import time

import pytest

from palabra_agent.plugins_host.fences import (
    Errand,
    Errands,
    a_kind_of,
    are_equal,
    what_broke,
)
from tests.clock import in_jumping_time
from tests.plugins_host.strangers import heed_nothing, never

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
def test_no_error_leaves_an_errand(error: BaseException) -> None:
    """An error of any class is a fact about the errand, and its group goes on."""

    async def work() -> None:
        raise error

    @in_jumping_time
    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            errand = Errand(group, work, "stranger")
            assert await errand.wait(1.0)

            assert errand.error is error

    run()


@in_jumping_time
async def test_an_errand_brings_its_result() -> None:
    """What the stranger returns is there when it is over."""

    async def work() -> int:
        await asyncio.sleep(0.5)
        return 5

    async with asyncio.TaskGroup() as group:
        errand = Errand(group, work, "stranger")

        assert not await errand.wait(0.4)
        assert await errand.wait(0.2)
        assert errand.result == 5
        assert errand.error is None


@in_jumping_time
async def test_a_stranger_may_cancel_itself() -> None:
    """A task that was cancelled from within says so, and cancels nobody else."""

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)

    async with asyncio.TaskGroup() as group:
        errand = Errand(group, work, "stranger")
        assert await errand.wait(1.0)

        assert isinstance(errand.error, asyncio.CancelledError)


@in_jumping_time
async def test_an_errand_may_be_cancelled_before_it_began() -> None:
    """Nothing is left of one that never ran, not even a warning."""
    async with asyncio.TaskGroup() as group:
        errand = Errand(group, never, "stranger")
        errand.cancel()
        assert await errand.wait(1.0)


@in_jumping_time
async def test_who_heeds_a_cancellation_may_clean_up() -> None:
    """A cancelled stranger ends in its own way."""
    steps: list[str] = []

    async def work() -> None:
        try:
            await never()
        finally:
            await asyncio.sleep(0.05)
            steps.append("cleaned up")

    async with asyncio.TaskGroup() as group:
        errand = Errand(group, work, "stranger")
        await asyncio.sleep(0)
        errand.cancel()
        assert await errand.wait(1.0)

    assert steps == ["cleaned up"]


@in_jumping_time
async def test_who_heeds_nothing_is_let_go() -> None:
    """A stranger that ignores its cancellations is ended where it stands."""
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        errand = errands.start(heed_nothing, "stranger")
        await asyncio.sleep(0)
        errands.cancel()
        assert not await errand.wait(1.0)

        assert errands.let_go()
        assert await errand.wait(1.0)
        assert not errands.let_go()


@in_jumping_time
async def test_a_stranger_works_as_in_any_task() -> None:
    """Deadlines, groups and threads of the stranger's own work behind the fence."""

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

    async with asyncio.TaskGroup() as group:
        errand = Errand(group, work, "stranger")
        await errand.wait(100.0)

        assert errand.result == [1, 2, 3]


def test_errors_are_named_without_their_words() -> None:
    """Of a group the errors in it are named."""
    group = BaseExceptionGroup("secret", [ValueError("secret"), ExceptionGroup("", [OSError()])])

    assert what_broke(ValueError("secret")) == "ValueError"
    assert what_broke(group) == "ValueError, OSError"


@pytest.mark.parametrize(
    ("thing", "expected"), [(5, "an int"), ("x", "a str"), (None, "None"), ([], "a list")]
)
def test_classes_have_articles(thing: object, expected: str) -> None:
    """Sentences read as such."""
    assert a_kind_of(thing) == expected


class _Incomparable:
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise KeyboardInterrupt


def test_a_comparison_is_fenced_too() -> None:
    """What cannot be compared is different."""
    assert are_equal(1, 1)
    assert not are_equal(_Incomparable(), _Incomparable())


def test_time_in_which_everything_stood_still_does_not_count() -> None:
    """Whoever waits is not taken for one that hangs, because another computed for seconds."""

    async def work() -> None:
        for _ in range(10):
            await asyncio.sleep(0.001)

    async def run() -> None:
        async with asyncio.TaskGroup() as group:
            errand = Errand(group, work, "stranger")
            await asyncio.sleep(0.001)
            asyncio.get_running_loop().call_soon(time.sleep, 0.3)

            assert await errand.wait(0.1)

    asyncio.run(run())


@in_jumping_time
async def test_who_hangs_while_nothing_stands_still_gets_no_more_time() -> None:
    """The deadline is what it says."""
    async with asyncio.TaskGroup() as group:
        errand = Errand(group, never, "stranger")
        began = asyncio.get_running_loop().time()
        assert not await errand.wait(1.0)
        assert asyncio.get_running_loop().time() - began == pytest.approx(1.0, abs=0.001)
        errand.cancel()
