"""Opening plugins, and what becomes of those that break while they are open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NoReturn, cast

import pytest

from palabra_agent.capabilities.capability import Verdict
from palabra_agent.languages import LanguageCode
from palabra_agent.plugin import (
    FixedVoice,
    NoSettings,
    Plugin,
    PluginConfig,
    RoomInfo,
    VoiceAnswer,
    VoicePolicy,
    VoiceRequest,
)
from palabra_agent.plugins_host.chain import open_chain
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from tests.clock import eventually, in_jumping_time
from tests.plugins_host.opened import (
    Config,
    Diary,
    Policy,
    asking,
    choosing,
    configured,
    heed_nothing,
    never,
    opening,
)

pytestmark = pytest.mark.unit

HIGH = FixedVoice("default_high")
LOW = FixedVoice("default_low")
LATE = "did not open within 3 s"


def _now() -> float:
    return asyncio.get_running_loop().time()


def _raising(room: object, config: object) -> NoReturn:
    raise ValueError("alice")


@asynccontextmanager
async def _entering(room: object, config: object) -> AsyncGenerator[Policy]:
    if room is not None:
        raise SystemExit(3)
    yield Policy(lambda request: HIGH)


@asynccontextmanager
async def _hanging(room: object, config: object) -> AsyncGenerator[Policy]:
    await never()
    yield Policy(lambda request: HIGH)


@asynccontextmanager
async def _refusing(room: object, config: object) -> AsyncGenerator[Policy]:
    await heed_nothing()
    yield Policy(lambda request: HIGH)


@asynccontextmanager
async def _cancelling(room: object, config: object) -> AsyncGenerator[Policy]:
    if room is not None:
        raise asyncio.CancelledError
    yield Policy(lambda request: HIGH)


@contextmanager
def _sync(room: object, config: object) -> Generator[Policy]:
    yield Policy(lambda request: HIGH)


async def _generator(room: object, config: object) -> AsyncGenerator[Policy]:
    yield Policy(lambda request: HIGH)


async def _coroutine(room: object, config: object) -> Policy:
    return Policy(lambda request: HIGH)


def _arity(room: object) -> None:
    return None


class _Misspelt(VoicePolicy):
    async def chose_voice(self, request: VoiceRequest) -> VoiceAnswer:
        return HIGH


def _misspelling(room: object, config: object) -> None:
    cast("Any", _Misspelt)()


def _nothing(room: object, config: object) -> None:
    return None


def _number(room: object, config: object) -> int:
    return 5


class _Nosy:
    @property
    def choose_voice(self) -> object:
        raise KeyboardInterrupt


BROKEN: list[tuple[Any, str]] = [
    (_raising, "broke: ValueError"),
    (_entering, "broke: SystemExit"),
    (_cancelling, "broke: CancelledError"),
    (_hanging, LATE),
    (_refusing, LATE),
    (_arity, "broke: TypeError"),
    (_misspelling, "broke: TypeError: the class lacks choose_voice"),
    (_nothing, "gave None, not an async context manager"),
    (_number, "gave an int, not an async context manager"),
    (_sync, "gave a _GeneratorContextManager, not an async context manager"),
    (
        _generator,
        "gave an async_generator, not an async context manager: is @asynccontextmanager missing?",
    ),
    (
        _coroutine,
        "gave a coroutine, not an async context manager: is @asynccontextmanager missing?",
    ),
    (opening(None), "opened None, which has no capability"),
    (opening("choose_voice"), "opened a str, which has no capability"),
    (opening(Policy), "opened the class Policy, not an instance of it"),
    (opening(_Nosy()), "broke: KeyboardInterrupt"),
]


@pytest.mark.parametrize(("opener", "reason"), BROKEN, ids=[reason for _, reason in BROKEN])
def test_one_that_does_not_open_is_passed_over(
    opener: Callable[..., Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The others open, a verdict tells why it is not asked, and the log tells it once."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def run() -> None:
        plugins = [configured(opener, "one"), choosing(LOW, "two")]
        async with open_chain("r", plugins) as chain:
            assert _now() <= 3.01
            for _ in range(3):
                verdict = await chain.choose_voice(asking())
                assert verdict == Verdict(LOW, "two", (("one", reason),))

            assert chain.choose_voices

    run()
    lines = [it for it in caplog.records if it.levelno >= logging.ERROR]
    assert [(vars(it)["plugin"], vars(it)["phase"], vars(it)["reason"]) for it in lines] == [
        ("one", "open", reason)
    ]
    assert "alice" not in caplog.text


@in_jumping_time
async def test_plugins_open_together() -> None:
    """Twenty that hang cost 3 s, not 60."""
    plugins = [configured(_hanging, label=str(at)) for at in range(20)]
    async with open_chain("r", plugins) as chain:
        assert _now() == pytest.approx(3.0, abs=0.001)
        verdict = await chain.choose_voice(asking())

        assert {reason for _, reason in verdict.passed} == {LATE}
        assert verdict.passed[19] == ("it#20", LATE)


@in_jumping_time
async def test_one_that_opens_too_late_is_closed() -> None:
    """A plugin that turned its cancellation into an opening is not used, and closed at once."""
    diary = Diary()

    @asynccontextmanager
    async def stubborn(room: object, config: object) -> AsyncGenerator[Policy]:
        try:
            await never()
        except asyncio.CancelledError:
            diary.entries.append("open")
        yield Policy(lambda request: HIGH)
        diary.entries.append("close")

    async with open_chain("r", [configured(stubborn)]) as chain:
        await eventually(lambda: diary.entries == ["open", "close"])
        assert await chain.choose_voice(asking()) == Verdict(passed=(("it", LATE),))


@in_jumping_time
async def test_a_room_that_ends_while_plugins_open_waits_for_none() -> None:
    """Cancelled while it opens, the chain is gone at once, and with it what is opening."""
    chain = open_chain("r", [configured(_hanging), choosing(HIGH, "two")])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(chain.__aenter__(), timeout=0.5)

    assert _now() == pytest.approx(0.5, abs=0.001)


@in_jumping_time
async def test_a_recipe_is_given_room_config_and_settings() -> None:
    """The opener learns the room's name and languages, what the room says and what the worker."""

    class Secrets(PluginConfig):
        key: str

    given: list[tuple[RoomInfo[Secrets], Config]] = []

    @asynccontextmanager
    async def opener(room: RoomInfo[Secrets], config: Config) -> AsyncGenerator[Policy]:
        given.append((room, config))
        yield Policy(lambda request: HIGH)

    recipe = Plugin(Config, opener, settings_model=Secrets)
    plugin = ConfiguredPlugin("it", recipe, Config(label="x"), Secrets(key="k"))
    async with open_chain("r", [plugin], [LanguageCode("es")]):
        room = RoomInfo("r", Secrets(key="k"), (LanguageCode("es"),))

        assert given == [(room, Config(label="x"))]


@in_jumping_time
async def test_opened_and_closed_in_one_task() -> None:
    """A plugin may hold what belongs to a task, such as a group or a cancel scope."""
    tasks: list[object] = []

    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        tasks.append(asyncio.current_task())
        async with asyncio.TaskGroup() as group:
            mine = group.create_task(never())
            yield Policy(lambda request: HIGH)
            mine.cancel()
        tasks.append(asyncio.current_task())

    async with open_chain("r", [configured(opener)]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(HIGH, "it")

    assert len(tasks) == 2
    assert tasks[0] is tasks[1]


def _dying(error: BaseException) -> Callable[..., Any]:
    @asynccontextmanager
    async def opener(room: object, config: object) -> AsyncGenerator[Policy]:
        async def watch() -> None:
            await asyncio.sleep(5)
            raise error

        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            yield Policy(lambda request: HIGH)

    return opener


@asynccontextmanager
async def _forgiving(room: object, config: object) -> AsyncGenerator[Policy]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(5, task.cancel)
    try:
        yield Policy(lambda request: HIGH)
    except asyncio.CancelledError:
        task.uncancel()


@asynccontextmanager
async def _self_cancelling(room: object, config: object) -> AsyncGenerator[Policy]:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(5, task.cancel)
    yield Policy(lambda request: HIGH)


@pytest.mark.parametrize(
    ("opener", "reason"),
    [
        (_dying(OSError("alice")), "broke: OSError, while it was open"),
        (_self_cancelling, "broke: CancelledError, while it was open"),
        (_forgiving, "ended by itself, while it was open"),
    ],
    ids=["its task breaks", "cancels itself", "ends"],
)
def test_one_that_breaks_while_it_is_open_is_passed_over(
    opener: Callable[..., Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """From then on the next plugin is asked; the room goes on."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [configured(opener, "one"), choosing(LOW, "two")]) as chain:
            assert (await chain.choose_voice(asking())).choice == HIGH
            await asyncio.sleep(6)

            verdict = await chain.choose_voice(asking())
            assert verdict == Verdict(LOW, "two", (("one", reason),))

    run()
    (line,) = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert (vars(line)["plugin"], vars(line)["phase"], vars(line)["reason"]) == (
        "one",
        "open",
        reason,
    )
    assert "alice" not in caplog.text


def test_tracebacks_are_for_those_who_debug(caplog: pytest.LogCaptureFixture) -> None:
    """What a plugin itself said is in the log at DEBUG alone."""
    caplog.set_level(logging.DEBUG, logger="palabra_agent")

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [configured(_raising)]):
            pass

    run()
    assert "ValueError: alice" in caplog.text
    assert all("alice" not in it.getMessage() for it in caplog.records)
    assert all(it.exc_info is None for it in caplog.records if it.levelno > logging.DEBUG)


def test_no_settings_are_settings_too() -> None:
    """Recipes without a settings model are given an empty one."""
    assert choosing(HIGH).settings == NoSettings()
