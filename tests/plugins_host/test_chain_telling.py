"""Telling listeners what is said: in order, one at a time, and never at the room's cost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from palabra_agent.capabilities.transcript import TRANSCRIPT_LISTENER
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import Speaker, TranscriptEvent
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.session import Transcript
from tests.clock import eventually, in_jumping_time
from tests.plugins_host.opened import (
    Listener,
    Policy,
    choosing,
    configured,
    heed_nothing,
    listening,
    never,
)

pytestmark = pytest.mark.unit

MOST_WAITING = TRANSCRIPT_LISTENER.most_waiting
ALICE = Speaker(identity="alice", name="Alice")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _say(chain: PluginChain, *texts: str) -> None:
    for text in texts:
        chain.tell(ALICE, Transcript(text, "", LanguageCode("en"), text, True, False))


def _texts(listener: Listener) -> list[str]:
    return [event.text for event in listener.heard]


@in_jumping_time
async def test_listeners_are_told_in_order() -> None:
    """Each hears everything, one event after the other, each at its own pace."""
    quick, slow = Listener(), Listener(lambda event: asyncio.sleep(0.4))
    async with open_chain("r", [listening(quick, "a"), listening(slow, "b")]) as chain:
        _say(chain, "one", "two", "three")
        await eventually(lambda: len(quick.heard) == 3, seconds=0.1)
        assert slow.heard == []

        await eventually(lambda: len(slow.heard) == 3)
        assert _texts(quick) == _texts(slow) == ["one", "two", "three"]


@in_jumping_time
async def test_nobody_listening_is_no_trouble() -> None:
    """Words for which no plugin listens are gone."""
    async with open_chain("r", [choosing(None)]) as chain:
        _say(chain, "one")

    _say(chain, "after the end")


@in_jumping_time
async def test_words_from_while_it_opened_are_nothing_to_a_plugin_that_does_not_listen() -> None:
    """They wait for it until it is known what it can do, and for no longer."""

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        await asyncio.sleep(1.0)
        yield Policy(lambda request: None)

    async with open_chain("r", []) as chain, asyncio.TaskGroup() as group:
        group.create_task(chain.follow([configured(opener)]))
        await asyncio.sleep(0.5)
        _say(chain, "one")
        await asyncio.sleep(1.0)
        async with asyncio.timeout(1.0):
            await chain.heard()


def test_a_listener_that_raises_is_told_on(caplog: pytest.LogCaptureFixture) -> None:
    """The next event is told as if nothing had been, and the log holds none of the words."""
    caplog.set_level(logging.INFO)

    def fail(event: TranscriptEvent) -> None:
        if event.text == "two":
            raise ValueError(event.text)

    listener = Listener(fail)

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [listening(listener)]) as chain:
            _say(chain, "one", "two", "three")

    run()
    assert _texts(listener) == ["one", "three"]
    (line,) = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert (vars(line)["phase"], vars(line)["reason"]) == ("call", "broke: ValueError")
    assert "two" not in str(vars(line))


@pytest.mark.parametrize("hang", [never, heed_nothing])
def test_a_listener_that_hangs_is_told_the_rest_later(
    hang: Callable[[], Coroutine[Any, Any, None]],
) -> None:
    """It rests for a minute, in which what is said waits; voices are not affected."""

    @in_jumping_time
    async def run() -> None:
        hears = iter([hang()])
        listener = Listener(lambda event: next(hears, None))
        async with open_chain("r", [listening(listener)]) as chain:
            _say(chain, "one", "two")
            await asyncio.sleep(60.5)
            assert _texts(listener) == []

            _say(chain, "three")
            await asyncio.sleep(1.0)
            assert _texts(listener) == ["two", "three"]

    run()


@in_jumping_time
async def test_the_last_words_are_heard_before_the_end() -> None:
    """What waits when the room ends is told first, for a quarter of a second."""
    listener = Listener(lambda event: asyncio.sleep(0.02))
    async with open_chain("r", [listening(listener)]) as chain:
        _say(chain, *map(str, range(10)))

    assert len(listener.heard) == 10
    assert _now() == pytest.approx(0.2, abs=0.001)


@pytest.mark.parametrize(
    ("seconds", "heard", "untold"), [(0.06, 4, 5), (5.0, 0, 9)], ids=["slow", "hangs"]
)
def test_a_slow_listener_does_not_hold_up_the_end(
    seconds: float, heard: int, untold: int, caplog: pytest.LogCaptureFixture
) -> None:
    """After a quarter of a second it is closed as usual; what it missed is counted in the log."""
    closed: list[float] = []
    listener = Listener(lambda event: asyncio.sleep(seconds))

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Listener]:
        yield listener
        closed.append(_now())

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [configured(opener)]) as chain:
            _say(chain, *map(str, range(10)))

    run()
    assert closed == pytest.approx([0.25], abs=0.001)
    assert len(listener.heard) == heard
    (line,) = [it for it in caplog.records if "transcripts" in it.getMessage()]
    assert (vars(line)["plugin"], vars(line)["count"]) == ("it", untold)


def test_what_was_dropped_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A listener that rests through a long talk misses the oldest of it."""
    hears = iter([never()])
    listener = Listener(lambda event: next(hears, None))

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [listening(listener)]) as chain:
            _say(chain, "first")
            await asyncio.sleep(2)
            _say(chain, *map(str, range(MOST_WAITING + 7)))
            await asyncio.sleep(61)

    run()
    assert _texts(listener) == [str(at + 7) for at in range(MOST_WAITING)]
    (line,) = [it for it in caplog.records if "transcripts" in it.getMessage()]
    assert vars(line)["count"] == 7


@in_jumping_time
async def test_words_said_while_a_listener_opens_are_told_later() -> None:
    """Of a change to the plugins nothing is lost to those that come."""
    listener = Listener()

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Listener]:
        await asyncio.sleep(2)
        yield listener

    async with open_chain("r", []) as chain:
        async with asyncio.TaskGroup() as group:
            group.create_task(chain.follow([configured(opener)]))
            await asyncio.sleep(1)
            _say(chain, "meanwhile")

        await eventually(lambda: _texts(listener) == ["meanwhile"])


@in_jumping_time
async def test_a_resting_listener_ends_at_once() -> None:
    """The end of the room does not wait for a rest."""
    listener = Listener(lambda event: never())
    async with open_chain("r", [listening(listener)]) as chain:
        _say(chain, "one", "two")
        await asyncio.sleep(2)
        began = _now()

    assert _now() == pytest.approx(began, abs=0.001)


@in_jumping_time
async def test_one_may_wait_until_all_was_heard() -> None:
    """Whoever waits for listeners does not wait for one that rests, nor for one that is gone."""
    hears = iter([never(), asyncio.sleep(0.5)])
    listener = Listener(lambda event: next(hears, None))
    async with open_chain("r", [listening(listener), choosing(None, "two")]) as chain:
        await chain.heard()
        _say(chain, "one", "two")
        await chain.heard()
        assert _now() == pytest.approx(1.0, abs=0.001)

        _say(chain, "three")
        await chain.heard()
        assert _now() == pytest.approx(1.0, abs=0.001)

        await asyncio.sleep(60.1)
        await chain.heard()
        assert _texts(listener) == ["two", "three"]

    await chain.heard()
