"""Closing plugins: the last first, within half a second, and at last whether they will or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.plugin import FixedVoice
from palabra_agent.plugins_host.chain import open_chain
from tests.clock import eventually, in_jumping_time
from tests.plugins_host.opened import (
    Diary,
    Policy,
    asking,
    choosing,
    choosing_by,
    configured,
    heed_nothing,
    never,
    opening,
)

pytestmark = pytest.mark.unit

HIGH = FixedVoice("default_high")
LOW = FixedVoice("default_low")
POLICY = Policy(lambda request: HIGH)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _cancel_myself() -> None:
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def _tidy() -> None:
    await asyncio.sleep(0.05)


def _raise() -> None:
    raise ValueError("alice")


@in_jumping_time
async def test_the_last_closes_first() -> None:
    """Each has closed before the one that was opened before it begins."""
    diary = Diary()
    plugins = [
        configured(opening(POLICY, diary, closes=_tidy), label=label) for label in ("a", "b", "c")
    ]
    async with open_chain("r", plugins):
        diary.entries.clear()

    assert diary.entries == ["close c", "close b", "close a"]
    assert _now() == pytest.approx(0.15, abs=0.001)


@pytest.mark.parametrize(
    ("closes", "reason", "seconds"),
    [
        (_raise, "broke: ValueError", 0.0),
        (_cancel_myself, None, 0.0),
        (never, "did not close within 0.5 s", 0.5),
        (heed_nothing, "did not close within 0.5 s", 0.6),
    ],
    ids=["raises", "cancels itself", "hangs", "heeds nothing"],
)
def test_one_that_closes_badly_harms_nobody(
    closes: Callable[[], Any], reason: str | None, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    """The others close, the room ends in time, and the log names plugin and phase."""
    caplog.set_level(logging.INFO)
    diary = Diary()

    @in_jumping_time
    async def run() -> None:
        plugins = [
            configured(opening(POLICY, diary), label="a"),
            configured(opening(POLICY, closes=closes), "bad"),
            configured(opening(POLICY, diary), label="c"),
        ]
        async with open_chain("r", plugins):
            diary.entries.clear()

        assert _now() == pytest.approx(seconds, abs=0.001)

    run()
    assert diary.entries == ["close c", "close a"]
    lines = [it for it in caplog.records if it.levelno >= logging.WARNING]
    told = [(vars(it)["plugin"], vars(it)["phase"], vars(it)["reason"]) for it in lines]
    assert told[:1] == ([("bad", "close", reason)] if reason else [])
    assert [it[2] for it in told[1:]] == (["heeded no cancellation"] if seconds > 0.5 else [])
    assert "alice" not in caplog.text


@in_jumping_time
async def test_twenty_that_hang_take_no_longer_than_one() -> None:
    """All share half a second, and a tenth to heed their cancellation."""
    hangs = [never, heed_nothing] * 10
    plugins = [
        configured(opening(POLICY, closes=hang), label=str(at)) for at, hang in enumerate(hangs)
    ]
    async with open_chain("r", plugins):
        began = _now()

    assert _now() - began == pytest.approx(0.6, abs=0.001)


@in_jumping_time
async def test_who_comes_after_one_that_hangs_has_time_left() -> None:
    """One that hangs takes its share of the time, not everybody's."""
    diary = Diary()

    async def write() -> None:
        await asyncio.sleep(0.2)

    plugins = [
        configured(opening(POLICY, diary, closes=write), label="writes"),
        configured(opening(POLICY, closes=never), label="hangs"),
    ]
    async with open_chain("r", plugins):
        pass

    assert diary.entries == ["open writes", "close writes"]


@in_jumping_time
async def test_one_that_catches_everything_does_not_hold_up_the_end() -> None:
    """Its task is left behind, the others close, and the room ends in time."""
    is_ending, diary = False, Diary()

    async def catch_everything() -> None:
        while not is_ending:
            try:
                await asyncio.sleep(1.0)
            except BaseException:  # noqa: BLE001, S112 - that is the mistake
                continue

    bad = configured(opening(POLICY, closes=catch_everything), "bad")
    async with open_chain("r", [configured(opening(POLICY, diary), label="good"), bad]):
        began = _now()

    assert _now() - began == pytest.approx(0.6, abs=0.001)
    assert diary.entries == ["open good", "close good"]
    is_ending = True
    await asyncio.sleep(2.0)


@in_jumping_time
async def test_what_is_asked_ends_with_the_chain() -> None:
    """Whoever still asks when the room ends is not kept waiting."""
    answers: list[Verdict] = []

    async with asyncio.TaskGroup() as group:
        async with open_chain("r", [choosing_by(lambda request: heed_nothing())]) as chain:

            async def ask() -> None:
                answers.append(await chain.choose_voice(asking()))

            group.create_task(ask())
            await asyncio.sleep(0)

        assert _now() <= 0.61

    assert [answer.choice for answer in answers] == [None]
    assert await chain.choose_voice(asking()) == Verdict()


@in_jumping_time
async def test_an_impatient_end_is_as_orderly() -> None:
    """Cancelled again and again while plugins close, the chain closes them all the same."""
    diary = Diary()
    plugins = [configured(opening(POLICY, diary, closes=_tidy), label=it) for it in ("a", "b")]

    async def room() -> None:
        async with open_chain("r", plugins):
            await never()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(room())
        await eventually(lambda: len(diary.entries) == 2)
        for _ in range(5):
            task.cancel()
            await asyncio.sleep(0.01)

    assert task.cancelled()
    assert diary.entries[2:] == ["close b", "close a"]


@in_jumping_time
async def test_what_stays_keeps_its_state() -> None:
    """Of a changed list, equal entries stay open; the others are closed, then opened."""
    diary = Diary()
    one, two, three = (choosing(None, it, diary=diary) for it in ("one", "two", "three"))
    changed = choosing(HIGH, "two", "changed", diary=diary)
    async with open_chain("r", [one, two, three]) as chain:
        diary.entries.clear()
        await chain.follow([three, changed, one])

        assert diary.entries == ["close two", "open changed"]
        assert await chain.choose_voice(asking()) == Verdict(HIGH, "two", (("three", "passed"),))

    assert diary.entries[2:] == ["close one", "close changed", "close three"]


@in_jumping_time
async def test_equal_entries_are_counted() -> None:
    """Two equal entries are two plugins, of which one may go."""
    diary = Diary()
    same = choosing(None, diary=diary)
    async with open_chain("r", [same, same]) as chain:
        await chain.follow([same, same])
        assert diary.entries == ["open it", "open it"]

        await chain.follow([same])
        assert diary.entries == ["open it", "open it", "close it"]
        assert await chain.choose_voice(asking()) == Verdict(passed=(("it", "passed"),))


@in_jumping_time
async def test_a_question_under_way_survives_a_change() -> None:
    """A plugin that goes answers what it was asked before it is closed."""

    async def think() -> FixedVoice:
        await asyncio.sleep(0.8)
        return HIGH

    answers: list[Verdict] = []
    async with open_chain("r", [choosing_by(lambda request: think(), "one")]) as chain:

        async def ask() -> None:
            answers.append(await chain.choose_voice(asking()))

        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            await asyncio.sleep(0)
            await chain.follow([choosing(LOW, "two")])

        assert answers == [Verdict(HIGH, "one")]
        assert await chain.choose_voice(asking()) == Verdict(LOW, "two")


@in_jumping_time
async def test_a_change_goes_on_although_it_is_cancelled() -> None:
    """What was to go goes, and what was to come opens, and is closed with the chain."""
    diary = Diary()
    old = configured(opening(POLICY, diary, closes=_tidy), label="old")
    async with open_chain("r", [old]) as chain:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await chain.follow([choosing(HIGH, "new", diary=diary)])

        await asyncio.sleep(0.01)
        assert await chain.choose_voice(asking()) == Verdict(HIGH, "new")

    assert diary.entries == ["open old", "close old", "open new", "close new"]


@in_jumping_time
async def test_one_change_waits_for_the_other() -> None:
    """Of two changes at the same time the later one holds."""
    async with open_chain("r", []) as chain:
        async with asyncio.TaskGroup() as group:
            group.create_task(chain.follow([choosing(HIGH, "one")]))
            group.create_task(chain.follow([choosing(LOW, "two")]))

        assert await chain.choose_voice(asking()) == Verdict(LOW, "two")


@in_jumping_time
async def test_one_that_opens_too_late_is_given_up_although_nobody_waits() -> None:
    """The deadline for opening holds also where the change was cancelled."""

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        await asyncio.sleep(5)
        yield POLICY

    async with open_chain("r", []) as chain:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await chain.follow([configured(opener, "late")])

        await asyncio.sleep(10)
        verdict = await chain.choose_voice(asking())

        assert verdict == Verdict(passed=(("late", "did not open within 3 s"),))


@in_jumping_time
async def test_nothing_opens_in_a_chain_that_is_closed() -> None:
    """A change that comes to its end too late changes nothing."""
    diary = Diary()

    async def think() -> FixedVoice:
        await asyncio.sleep(0.4)
        return HIGH

    async with open_chain("r", [choosing_by(lambda request: think(), "old")]) as chain:
        async with asyncio.TaskGroup() as group:
            group.create_task(chain.choose_voice(asking()))
            await asyncio.sleep(0.1)
            group.create_task(chain.follow([choosing(HIGH, "new", diary=diary)]))
            await asyncio.sleep(0.1)
            await chain.close()

        assert diary.entries == []


@in_jumping_time
async def test_questions_wait_for_one_that_is_about_to_open() -> None:
    """Nobody loses their voice for the moment in which a plugin's config changes."""

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        await asyncio.sleep(0.5)
        yield POLICY

    async with open_chain("r", [choosing(HIGH, "one")]) as chain, asyncio.TaskGroup() as group:
        group.create_task(chain.follow([configured(opener, "one")]))
        await asyncio.sleep(0.1)

        assert (await chain.choose_voice(asking())).chosen_by == "one"


@in_jumping_time
async def test_questions_wait_no_longer_than_for_an_answer() -> None:
    """One that hangs while it opens is passed over meanwhile."""

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        await asyncio.sleep(2.5)
        yield POLICY

    async with open_chain("r", []) as chain, asyncio.TaskGroup() as group:
        group.create_task(chain.follow([configured(opener, "slow"), choosing(LOW, "two")]))
        await asyncio.sleep(0.1)
        began = asyncio.get_running_loop().time()
        verdict = await chain.choose_voice(asking())

        assert asyncio.get_running_loop().time() - began == pytest.approx(1.0, abs=0.01)
        assert verdict == Verdict(LOW, "two", (("slow", "is not open"),))
