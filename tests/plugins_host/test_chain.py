"""Asking the plugins of a room: in order, within a deadline each, whatever one of them does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import numpy as np
import pytest

from palabra_agent.audio.pcm import SAMPLE_RATE
from palabra_agent.capabilities.capability import Verdict
from palabra_agent.errors import PluginError
from palabra_agent.plugin import (
    FixedVoice,
    NoSettings,
    Passed,
    Plugin,
    RoomInfo,
    Speaker,
    Speech,
    Timbre,
    TimbreMatchedVoice,
    VoiceRequest,
)
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.plugins_host.configuring import ConfiguredPlugin
from tests.clock import in_jumping_time
from tests.plugins_host.opened import (
    Config,
    Listener,
    Policy,
    asking,
    choosing,
    choosing_by,
    configured,
    estimating,
    heed_nothing,
    listening,
    never,
    opening,
)

pytestmark = pytest.mark.unit

HIGH = FixedVoice("default_high")
LOW = FixedVoice("default_low")
ALICE = Speaker(identity="alice", name="Alice")
SOUND = np.zeros(SAMPLE_RATE, np.int16)
HUNG = "gave no answer within 1 s"
RESTS = "rests, for it gave no answer within 1 s"


def _now() -> float:
    return asyncio.get_running_loop().time()


@in_jumping_time
async def test_the_first_voice_wins() -> None:
    """Plugins are asked in the order of the list, until one chooses."""
    async with open_chain("r", [choosing(HIGH, "one"), choosing(LOW, "two")]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(HIGH, "one")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "passed"),
        (Passed(), "passed"),
        (Passed("speaks too low"), "speaks too low"),
        (Passed("x" * 1000), "x" * 199 + "…"),
        ("default_low", "returned a str, not a voice"),
    ],
)
def test_who_passes_is_named_with_a_reason(answer: object, reason: str) -> None:
    """What was passed over stands in the verdict, in order, and the next one is asked."""

    @in_jumping_time
    async def run() -> None:
        plugins = [choosing(answer, "one"), choosing(None, "two"), choosing(LOW, "three")]
        async with open_chain("r", plugins) as chain:
            verdict = await chain.choose_voice(asking())

            assert verdict == Verdict(LOW, "three", (("one", reason), ("two", "passed")))

    run()


@in_jumping_time
async def test_nobody_choosing_leaves_the_default() -> None:
    """Where all pass there is no choice, and everybody's reason."""
    async with open_chain("r", [choosing(None)]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(passed=(("it", "passed"),))

    async with open_chain("r", []) as chain:
        assert await chain.choose_voice(asking()) == Verdict()


@pytest.mark.parametrize("choice", [HIGH, TimbreMatchedVoice("default_high", "other")])
def test_a_voice_that_palabra_lacks_is_passed_over(choice: object) -> None:
    """Whichever plugin insists on it, the next one is asked."""

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [choosing(choice, "one"), choosing(LOW, "two")]) as chain:
            verdict = await chain.choose_voice(asking(unavailable={"default_high"}))

            assert verdict == Verdict(LOW, "two", (("one", "Palabra has no such voice"),))

    run()


class _Sync:
    def choose_voice(self, request: VoiceRequest) -> FixedVoice:
        return HIGH


class _Stream:
    async def choose_voice(self, request: VoiceRequest) -> AsyncGenerator[FixedVoice]:
        yield HIGH


class _Arity:
    async def choose_voice(self) -> FixedVoice:
        return HIGH


@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        (_Sync(), "returned FixedVoice instead of something to await"),
        (_Stream(), "returned async_generator instead of something to await"),
        (_Arity(), "broke: TypeError"),
    ],
    ids=lambda it: type(it).__name__,
)
def test_a_wrong_method_is_passed_over(opened: object, reason: str) -> None:
    """A method that cannot be asked is named for what it does."""

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [configured(opening(opened)), choosing(LOW, "two")]) as chain:
            verdict = await chain.choose_voice(asking())

            assert verdict == Verdict(LOW, "two", (("it", reason),))

    run()


def _raise(error: BaseException) -> Callable[[VoiceRequest], object]:
    def choose(request: VoiceRequest) -> object:
        raise error

    return choose


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("alice"), "broke: ValueError"),
        (SystemExit(), "broke: SystemExit"),
        (KeyboardInterrupt(), "broke: KeyboardInterrupt"),
        (asyncio.CancelledError(), "broke: CancelledError"),
        (TimeoutError(), "broke: TimeoutError"),
        (BaseExceptionGroup("alice", [OSError(), KeyError()]), "broke: OSError, KeyError"),
    ],
    ids=lambda it: type(it).__name__,
)
def test_whatever_is_raised_is_passed_over(
    error: BaseException, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The next plugin is asked, and the log names plugin, phase and class, but no words."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def run() -> None:
        plugins = [choosing_by(_raise(error), "one"), choosing(LOW, "two")]
        async with open_chain("r", plugins) as chain:
            assert await chain.choose_voice(asking()) == Verdict(LOW, "two", (("one", reason),))

    run()
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert (vars(line)["plugin"], vars(line)["phase"]) == ("one", "call")
    assert vars(line)["reason"] == reason
    assert "alice" not in str(vars(line))


@in_jumping_time
async def test_one_that_cancels_its_task_is_passed_over() -> None:
    """Nobody else is cancelled."""

    async def cancel() -> FixedVoice:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(10)
        return HIGH

    plugins = [choosing_by(lambda request: cancel(), "one"), choosing(LOW, "two")]
    async with open_chain("r", plugins) as chain:
        verdict = await chain.choose_voice(asking())

        assert verdict == Verdict(LOW, "two", (("one", "broke: CancelledError"),))


@pytest.mark.parametrize("hang", [never, heed_nothing])
def test_one_that_hangs_delays_once(hang: Callable[[], Any]) -> None:
    """It costs its deadline of 1 s, then nothing while it rests; after a minute it is asked."""
    asked: list[float] = []

    def choose(request: VoiceRequest) -> object:
        asked.append(_now())
        return hang()

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [choosing_by(choose, "one"), choosing(LOW, "two")]) as chain:
            began = _now()
            assert await chain.choose_voice(asking()) == Verdict(LOW, "two", (("one", HUNG),))
            assert _now() - began == pytest.approx(1.0, abs=0.001)

            for _ in range(160):
                rested = await chain.choose_voice(asking())
                assert rested == Verdict(LOW, "two", (("one", RESTS),))

            assert _now() - began == pytest.approx(1.0, abs=0.001)
            await asyncio.sleep(60.0)
            await chain.choose_voice(asking())
            assert [at - began for at in asked] == pytest.approx([0.0, 61.0], abs=0.001)

    run()


@in_jumping_time
async def test_questions_that_hang_together_count_once() -> None:
    """Several under way at the same time cost a second, and a minute's rest."""
    asked: list[float] = []

    def choose(request: VoiceRequest) -> object:
        asked.append(_now())
        return never()

    async with open_chain("r", [choosing_by(choose)]) as chain:
        began = _now()
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(chain.choose_voice(asking()))

        assert _now() - began == pytest.approx(1.0, abs=0.001)
        await asyncio.sleep(60.0)
        await chain.choose_voice(asking())
        assert len(asked) == 21


@in_jumping_time
async def test_one_that_is_late_with_some_answers_is_asked_on() -> None:
    """An answer ends a rest, also one to a question from before."""
    waits = iter([5.0, 0.9, 0.0])

    async def choose() -> FixedVoice:
        await asyncio.sleep(next(waits))
        return HIGH

    async with open_chain("r", [choosing_by(lambda request: choose())]) as chain:
        async with asyncio.TaskGroup() as group:
            group.create_task(chain.choose_voice(asking()))
            await asyncio.sleep(0.5)
            group.create_task(chain.choose_voice(asking()))

        assert await chain.choose_voice(asking()) == Verdict(HIGH, "it")


@in_jumping_time
async def test_a_question_can_be_cancelled() -> None:
    """Whoever asked may go, and the plugin is cancelled with the question."""
    ended: list[str] = []

    async def choose() -> None:
        try:
            await never()
        finally:
            ended.append("cancelled")

    async with open_chain("r", [choosing_by(lambda request: choose())]) as chain:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await chain.choose_voice(asking())

        await asyncio.sleep(0)
        assert ended == ["cancelled"]


def test_failures_of_a_kind_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that always breaks fills no log: the first time is told, the rest is counted."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def run() -> None:
        async with open_chain("r", [choosing_by(_raise(ValueError()))]) as chain:
            for _ in range(50):
                await chain.choose_voice(asking())

    run()
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line.getMessage() for line in lines] == [
        "a plugin was passed over",
        "a plugin was passed over more than once",
    ]
    assert vars(lines[1])["count"] == 50


@in_jumping_time
async def test_plugins_of_one_name_are_numbered() -> None:
    """In a verdict each can be told from the others."""
    plugins = [choosing(None, "one"), choosing(None, "one", "other"), choosing(LOW, "one", "third")]
    async with open_chain("r", plugins) as chain:
        verdict = await chain.choose_voice(asking())

        assert verdict == Verdict(LOW, "one#3", (("one", "passed"), ("one#2", "passed")))


def _facts(chain: PluginChain) -> tuple[bool, bool]:
    return chain.choose_voices, chain.estimate_timbres


@in_jumping_time
async def test_a_chain_says_what_it_can_be_asked() -> None:
    """Nobody need ask for voices or timbres where no plugin has them."""
    timbres = estimating(lambda speech: None)
    async with open_chain("r", [listening(Listener())]) as chain:
        assert _facts(chain) == (False, False)
        assert chain.room == "r"

        await chain.follow([choosing(HIGH)])
        assert _facts(chain) == (True, False)

        await chain.follow([timbres])
        assert _facts(chain) == (False, True)
        assert await chain.choose_voice(asking()) == Verdict()


@in_jumping_time
async def test_a_listener_is_not_asked_for_voices() -> None:
    """Who has no such capability is not among those that passed."""
    async with open_chain("r", [listening(Listener()), choosing(LOW, "two")]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(LOW, "two")


@in_jumping_time
async def test_several_capabilities_share_one_plugin() -> None:
    """An object with two capabilities is opened once and asked for both."""

    class _Both(Policy):
        async def estimate_timbre(self, speech: Speech) -> Timbre:
            return Timbre(speech.seconds * 100)

    both = _Both(lambda request: TimbreMatchedVoice())
    async with open_chain("r", [configured(opening(both))]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(TimbreMatchedVoice(), "it")
        assert await chain.estimate_timbre(ALICE, SOUND) == Timbre(100.0)


@in_jumping_time
async def test_the_first_estimate_wins() -> None:
    """Who cannot tell, breaks or says absurd things is passed over."""

    def broken(speech: Speech) -> Timbre:
        raise ValueError

    plugins = [
        estimating(lambda speech: None, "unsure"),
        estimating(broken, "broken"),
        estimating(lambda speech: Timbre(float("nan")), "absurd"),
        estimating(lambda speech: never(), "hangs"),
        estimating(lambda speech: Timbre(120.0), "good"),
        estimating(lambda speech: Timbre(180.0), "late"),
    ]
    async with open_chain("r", plugins) as chain:
        assert await chain.estimate_timbre(ALICE, SOUND) == Timbre(120.0)
        assert await chain.estimate_timbre(ALICE, SOUND) == Timbre(120.0)
        assert _now() == pytest.approx(1.0, abs=0.001)


def announcing(
    announce: Callable[[RoomInfo[Any], Any], object], opened: object = None
) -> ConfiguredPlugin:
    """Configure a plugin that says what people are told."""
    recipe: Plugin[Any, Any] = Plugin(
        Config,
        opening(opened or Policy(lambda request: HIGH)),
        announce=announce,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - some say nonsense
    )
    return ConfiguredPlugin("it", recipe, Config(label="it"), NoSettings())


@in_jumping_time
async def test_plugins_say_what_people_are_told_while_they_are_open() -> None:
    """By the room and their config, on one line; one that says nothing tells nothing."""

    def announce(room: RoomInfo[Any], config: Config) -> str:
        return f"{room.name} is\nwritten down by {config.label}."

    quiet = announcing(lambda _room, _config: None)
    async with open_chain("r", [announcing(announce), quiet, choosing(LOW, "two")]) as chain:
        assert list(chain.announced) == ["r is written down by it."]
        await chain.follow([])
        assert list(chain.announced) == []


def a_number(_room: RoomInfo[Any], _config: Config) -> int:
    """Say nonsense."""
    return 5


def nothing_at_all(_room: RoomInfo[Any], config: Config) -> str:
    """Break."""
    raise KeyError(config.label)


@pytest.mark.parametrize(
    ("announce", "reason"),
    [(a_number, "announced an int, not a str"), (nothing_at_all, "broke: KeyError")],
)
def test_one_that_cannot_say_it_is_not_opened(
    announce: Callable[[RoomInfo[Any], Any], object], reason: str
) -> None:
    """It would work without people knowing."""

    @in_jumping_time
    async def run() -> None:
        errors: list[PluginError] = []
        async with open_chain("r", [announcing(announce)], on_error=errors.append) as chain:
            assert chain.announced == ()
            assert await chain.choose_voice(asking()) == Verdict(passed=(("it", reason),))

        assert [it.reason for it in errors] == [reason]

    run()


@in_jumping_time
async def test_a_private_reason_stays_private() -> None:
    """The verdict says whose it is."""
    private = Passed("not agreed", is_private=True)
    async with open_chain("r", [choosing(private, "one"), choosing(None, "two")]) as chain:
        assert await chain.choose_voice(asking()) == Verdict(
            passed=(("one", "not agreed"), ("two", "passed")), private=frozenset({"one"})
        )
