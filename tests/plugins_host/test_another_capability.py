"""A fourth capability: a Protocol, a description, and nothing else, asked through the real host."""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Final, Protocol, cast, runtime_checkable

import pytest

from palabra_agent.capabilities import ALL
from palabra_agent.capabilities.capability import (
    FirstAnswer,
    Passed,
    Verdict,
    WrongAnswer,
    a_kind_of,
)
from palabra_agent.plugin import ENTRY_POINTS, FixedVoice, LanguageCode, Plugin, RoomInfo
from palabra_agent.plugins_host.catalog import load_plugins
from palabra_agent.plugins_host.chain import PluginChain, open_chain
from palabra_agent.voices import Speaker
from tests.clock import in_jumping_time
from tests.plugins_host.opened import (
    Config,
    Policy,
    asking,
    choosing,
    configured,
    heed_nothing,
    never,
    opening,
)

pytestmark = pytest.mark.unit


# a module `capabilities/glossary.py` would hold this


@dataclass(frozen=True, slots=True, kw_only=True)
class GlossaryRequest:
    """The question for the words that Palabra should know when a speaker speaks."""

    speaker: Speaker
    language: LanguageCode


@runtime_checkable
class GlossaryProvider(Protocol):
    """Knows the terms of a meeting."""

    @abstractmethod
    async def glossary(self, request: GlossaryRequest) -> tuple[str, ...] | None:
        """Give the terms, or None to leave that to the next plugin."""
        ...


def _accept_terms(answer: object, _request: GlossaryRequest) -> tuple[str, ...] | Passed:
    match answer:
        case None:
            return Passed("passed")
        case [*terms] if all(isinstance(term, str) for term in terms):
            return tuple(cast("list[str]", terms))
        case _:
            raise WrongAnswer(f"returned {a_kind_of(answer)}, not terms")


GLOSSARY_PROVIDER: Final[FirstAnswer[GlossaryRequest, tuple[str, ...]]] = FirstAnswer(
    GlossaryProvider, "glossary", _accept_terms
)

# and the table would hold it

CAPABILITIES: Final = (*ALL, GLOSSARY_PROVIDER)

REQUEST: Final = GlossaryRequest(
    speaker=Speaker(identity="alice", name="Alice"), language=LanguageCode("en")
)


class Glossary(GlossaryProvider):
    """Gives the terms that a function returns, or what comes of awaiting it."""

    def __init__(self, look_up: Callable[[], Any]) -> None:
        self._look_up = look_up

    async def glossary(self, request: GlossaryRequest) -> tuple[str, ...] | None:
        """Look the terms up."""
        found = self._look_up()
        found = await found if asyncio.iscoroutine(found) else found
        return cast("tuple[str, ...] | None", found)


class ChoosingGlossary(Glossary, Policy):
    """Chooses voices, too."""

    def __init__(self) -> None:
        Glossary.__init__(self, lambda: ("ICU",))
        Policy.__init__(self, lambda request: FixedVoice("x"))


@asynccontextmanager
async def open_glossary(room: RoomInfo, config: Config) -> AsyncGenerator[GlossaryProvider]:
    """Open a glossary."""
    yield Glossary(lambda: (config.label,))


plugin = Plugin(Config, cast("Any", open_glossary))


@asynccontextmanager
async def opened_chain(*look_ups: Callable[[], Any]) -> AsyncGenerator[PluginChain]:
    """Open glossaries called `a`, `b` and so on, after a plugin that only chooses voices."""
    plugins = [
        configured(opening(Glossary(it)), name) for name, it in zip("abc", look_ups, strict=False)
    ]
    async with open_chain("r", [choosing(None), *plugins], capabilities=CAPABILITIES) as chain:
        yield chain


def _raise() -> None:
    raise ValueError("alice")


@in_jumping_time
async def test_the_first_glossary_wins() -> None:
    """Plugins with the capability are asked in order, and no others."""
    async with opened_chain(lambda: None, lambda: ["ICU", "ECG"], lambda: ["late"]) as chain:
        found = await chain.first_answer(GLOSSARY_PROVIDER, REQUEST)

        assert found == Verdict(("ICU", "ECG"), "b", (("a", "passed"),))
        assert (await chain.choose_voice(asking())).passed == (("it", "passed"),)


@pytest.mark.parametrize(
    ("look_up", "reason", "seconds"),
    [
        (never, "gave no answer within 1 s", 1.0),
        (heed_nothing, "gave no answer within 1 s", 1.0),
        (_raise, "broke: ValueError", 0.0),
        (lambda: "ICU", "returned a str, not terms", 0.0),
        (lambda: [5], "returned a list, not terms", 0.0),
    ],
    ids=["hangs", "ignores its cancellation", "raises", "another type", "wrong content"],
)
def test_one_that_fails_is_passed_over(
    look_up: Callable[[], Any], reason: str, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    """The deadline, the next plugin, the log and the end of the room are those of the others."""
    caplog.set_level(logging.INFO)

    @in_jumping_time
    async def run() -> None:
        async with opened_chain(look_up, lambda: ["ICU"]) as chain:
            began = asyncio.get_running_loop().time()
            found = await chain.first_answer(GLOSSARY_PROVIDER, REQUEST)

            assert found == Verdict(("ICU",), "b", (("a", reason),))
            now = asyncio.get_running_loop().time()
            assert now - began == pytest.approx(seconds, abs=0.001)

    run()
    line = next(it for it in caplog.records if it.levelno >= logging.WARNING)
    assert (vars(line)["phase"], vars(line)["reason"]) == ("call", reason)
    assert "alice" not in caplog.text


@in_jumping_time
async def test_a_plugin_may_have_it_beside_others() -> None:
    """One object is opened once, and asked for both."""
    both = configured(opening(ChoosingGlossary()))
    async with open_chain("r", [both], capabilities=CAPABILITIES) as chain:
        assert (await chain.first_answer(GLOSSARY_PROVIDER, REQUEST)).choice == ("ICU",)
        assert (await chain.choose_voice(asking())).choice == FixedVoice("x")


@in_jumping_time
async def test_without_its_line_in_the_table_it_is_no_capability() -> None:
    """A plugin that has nothing else does not open then."""
    async with open_chain("r", [configured(opening(Glossary(lambda: None)))]) as chain:
        verdict = await chain.choose_voice(asking())

        assert verdict.passed == (("it", "opened a Glossary, which has no capability"),)


def test_it_is_listed_by_its_name() -> None:
    """`palabra-agent plugins` makes the words of the Protocol's name."""
    point = EntryPoint("terms", f"{__name__}:plugin", ENTRY_POINTS)
    (record,) = load_plugins(entry_points=[point], capabilities=CAPABILITIES).records

    assert (record.is_ready, record.kind) == (True, "glossary provider")
