"""What asyncio leaves to us: failures, requests to undo, watched values, limits."""

from __future__ import annotations

import asyncio
import operator
from contextlib import suppress
from functools import partial

import pytest

from palabra_agent.concurrency import (
    TimeIsUp,
    TimeLimit,
    Turn,
    Watched,
    complete_or_undo,
    finish_despite_cancellation,
    single_failure,
)
from palabra_agent.errors import SessionLost, SetupError
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


class Peer:
    """Answers when it is let; remembers what was undone."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.was_asked = asyncio.Event()
        self.undone: list[str] = []

    async def ask(self) -> str:
        """Answer a request."""
        self.was_asked.set()
        await self.may_answer.wait()
        return "done"

    async def refuse(self) -> str:
        """Refuse a request."""
        raise SessionLost("gone")

    async def undo(self, result: str) -> None:
        """Take a result back."""
        self.undone.append(result)


async def test_an_answer_is_passed_on() -> None:
    """What nobody interrupts is as if it were awaited."""
    peer = Peer()
    peer.may_answer.set()

    assert await complete_or_undo(peer.ask(), grace_seconds=1, undo=peer.undo) == "done"
    assert peer.undone == []


async def test_a_failure_comes_out_as_itself() -> None:
    """No group is around the error."""
    peer = Peer()

    with pytest.raises(SessionLost, match="gone"):
        await complete_or_undo(peer.refuse(), grace_seconds=1, undo=peer.undo)


async def test_a_late_answer_is_undone() -> None:
    """A cancelled request finishes, and what it did is taken back."""
    peer = Peer()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(complete_or_undo(peer.ask(), grace_seconds=1, undo=peer.undo))
        await peer.was_asked.wait()
        task.cancel()
        peer.may_answer.set()

    assert task.cancelled()
    assert peer.undone == ["done"]


async def test_a_refusal_does_not_hide_a_cancellation() -> None:
    """A request that is refused after it was cancelled is a cancelled one."""
    peer = Peer()

    async def refuse_late() -> str:
        await peer.ask()
        return await peer.refuse()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(complete_or_undo(refuse_late(), grace_seconds=1, undo=peer.undo))
        await peer.was_asked.wait()
        task.cancel()
        peer.may_answer.set()

    assert task.cancelled()
    assert peer.undone == []


async def test_no_answer_is_waited_for_in_vain() -> None:
    """After the grace the request is cancelled as well."""
    peer = Peer()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(complete_or_undo(peer.ask(), grace_seconds=0.01, undo=peer.undo))
        await peer.was_asked.wait()
        task.cancel()

    assert task.cancelled()
    assert peer.undone == []


async def test_a_good_bye_is_finished_however_often_it_is_cancelled() -> None:
    """Cancelled twice, the clean-up still ends, and the cancellation counts afterwards."""
    peer = Peer()

    async def clean_up() -> None:
        await peer.undo(await peer.ask())

    async with asyncio.TaskGroup() as group:
        task = group.create_task(finish_despite_cancellation(clean_up(), seconds=5))
        await peer.was_asked.wait()
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        peer.may_answer.set()

    assert task.cancelled()
    assert peer.undone == ["done"]


async def test_a_good_bye_without_an_answer_has_a_deadline() -> None:
    """Nobody waits for a peer that is gone."""
    peer = Peer()

    async def clean_up() -> None:
        await peer.ask()

    await finish_despite_cancellation(clean_up(), seconds=0.01)

    assert peer.undone == []


async def _fail(words: str) -> None:
    raise SetupError(words)


async def _fail_together(*words: str) -> None:
    with single_failure():
        async with asyncio.TaskGroup() as group:
            for each in words:
                group.create_task(_fail(each))


async def test_the_only_failure_is_unwrapped() -> None:
    """Even out of a group within a group."""
    with pytest.raises(SetupError, match="the worker ended"):
        await _fail_together("the worker ended")

    with pytest.raises(SetupError, match="deep"), single_failure():
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [SetupError("deep")])])


async def test_several_failures_stay_together() -> None:
    """None of them is lost."""
    with pytest.raises(ExceptionGroup) as caught:
        await _fail_together("one", "two")

    assert [str(failure) for failure in caught.value.exceptions] == ["one", "two"]


async def test_other_failures_pass_through() -> None:
    """What is no group is not touched."""
    with pytest.raises(SetupError, match="plain"), single_failure():
        raise SetupError("plain")


async def lasted(minutes: float | None, after: float, then: float | None) -> float:
    """Tell for how many minutes a block of four may go on whose limit is changed meanwhile."""
    now = asyncio.get_running_loop().time
    began, limit = now(), TimeLimit(minutes)
    with suppress(TimeIsUp):
        async with limit:
            await passing(after * 60)
            limit.follow(then)
            await passing((4 - after) * 60)

    assert limit.minutes == then
    return (now() - began) / 60


@pytest.mark.parametrize(
    ("minutes", "after", "then", "expected"),
    [
        (2, 1, 2, 2),
        (2, 1, 3, 3),
        (3, 1, 2, 2),
        (3, 2.5, 2, 2.5),
        (None, 1, 2, 2),
        (2, 1, None, 4),
    ],
)
def test_a_limit_counts_from_the_beginning(
    minutes: float | None, after: float, then: float | None, expected: float
) -> None:
    """One that has passed already ends it at once; without one it ends as it pleases."""

    @in_jumping_time
    async def run() -> None:
        assert await lasted(minutes, after, then) == pytest.approx(expected, abs=0.02)

    run()


@in_jumping_time
async def test_a_limit_may_have_begun_before() -> None:
    """What goes on after an interruption has what is left of its time."""
    now = asyncio.get_running_loop().time
    began = now()
    await passing(90)
    with pytest.raises(TimeIsUp):
        async with TimeLimit(2, began):
            await passing(90)

    assert now() - began == pytest.approx(120)


@in_jumping_time
async def test_another_deadline_is_not_the_limit() -> None:
    """What is late within the block is told apart from the end of its time."""
    with pytest.raises(TimeoutError) as late:
        async with TimeLimit(2), asyncio.timeout(60):
            await passing(90)

    assert not isinstance(late.value, TimeIsUp)


@in_jumping_time
async def test_what_is_over_has_no_other_limit() -> None:
    """A change that comes too late is none."""
    limit = TimeLimit(1)
    async with limit:
        await passing(1)

    limit.follow(5)
    assert limit.minutes == 1


@in_jumping_time
async def test_only_the_newest_counts() -> None:
    """Who is late sees the value of the moment, not what came between."""
    watched = Watched(0)
    seen: list[int] = []

    async def watch() -> None:
        async for value in watched.changes():
            seen.append(value)  # noqa: PERF401 - it never ends

    async with asyncio.TaskGroup() as group:
        watching = group.create_task(watch())
        await eventually(lambda: seen == [0])
        for value in [1, 2, 3, 3]:
            watched.set(value)
        await eventually(lambda: seen == [0, 3])
        watched.set(3)
        await passing(1)
        watching.cancel()

    assert seen == [0, 3]


@in_jumping_time
async def test_a_change_during_the_reader_s_work_is_seen() -> None:
    """What changes between two looks is not missed."""
    watched = Watched(0)
    seen: list[int] = []
    async for value in watched.changes():
        seen.append(value)
        if value == 3:
            break

        watched.set(value + 1)

    assert seen == [0, 1, 2, 3]


@in_jumping_time
async def test_waiting_ends_when_it_holds() -> None:
    """Several may wait for different things; each gets the value for which theirs holds."""
    watched = Watched(0)
    async with asyncio.TaskGroup() as group:
        waits = [
            group.create_task(watched.wait_until(partial(operator.le, least)))
            for least in (0, 1, 5)
        ]
        for value in (1, 2, 7):
            await passing(1)
            watched.set(value)

    assert [it.result() for it in waits] == [0, 1, 7]


@in_jumping_time
async def test_a_turn_of_the_loop_ends_by_the_clock() -> None:
    """Who has had the loop for three milliseconds lets others run, and begins a new turn."""
    now, turns = 0.0, 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        counting = group.create_task(count())
        turn = Turn(lambda: now)
        seen: list[int] = []
        for now in (0.001, 0.0029, 0.003, 0.005, 0.006):  # noqa: B007 - the clock reads it
            await turn.give_way()
            seen.append(turns)
        counting.cancel()

    assert seen == [0, 0, 1, 1, 2]
