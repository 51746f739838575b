"""Calls on our methods: what is answered, when there is nothing to answer, and how much fits."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from livekit import rtc

from palabra_agent.meeting.rpc import (
    LARGEST_ANSWER,
    Call,
    CallRefused,
    RpcMethods,
    fitting,
    short,
)
from tests.clock import eventually, in_jumping_time, passing

pytestmark = pytest.mark.unit


def invocation(payload: str = "") -> rtc.RpcInvocationData:
    """Call as the SDK tells it."""
    return rtc.RpcInvocationData("r1", "alice", payload, 15.0)


async def refused(methods: RpcMethods, payload: str = "", name: str = "greet") -> rtc.RpcError:
    """Call in vain."""
    with pytest.raises(rtc.RpcError) as caught:
        await methods.answer(name, invocation(payload))
    return caught.value


async def greet(call: Call) -> Mapping[str, Any]:
    """Answer with what was asked, unless that is not to be."""
    match call.payload:
        case "wrong":
            raise CallRefused(400, "that is wrong", {"problems": [{"path": "x"}]})
        case "break":
            raise ValueError(f"an error that names {call.caller}")
        case _:
            return {"to": call.caller, "said": call.payload}


@in_jumping_time
async def test_a_call_is_answered_as_json() -> None:
    """With who asked, as LiveKit knows them, and what they sent."""
    methods = RpcMethods()
    async with methods.serving({"greet": greet}):
        answer = await methods.answer("greet", invocation("¡hola!"))

    assert json.loads(answer) == {"to": "alice", "said": "¡hola!"}


@in_jumping_time
async def test_a_refusal_is_a_code_a_sentence_and_facts() -> None:
    """Nothing of it is an exception of ours."""
    methods = RpcMethods()
    async with methods.serving({"greet": greet}):
        error = await refused(methods, "wrong")

    assert (error.code, error.message) == (400, "that is wrong")
    assert json.loads(error.data or "") == {"problems": [{"path": "x"}]}


@in_jumping_time
async def test_whoever_calls_too_early_or_too_late_gets_a_sentence() -> None:
    """Before there is anything to serve, instead of it, and afterwards."""
    methods = RpcMethods()
    early = await refused(methods)
    methods.refuse_with("the config is wrong")
    instead = await refused(methods)
    async with methods.serving({"greet": greet}):
        pass
    late = await refused(methods)

    assert [it.code for it in (early, instead, late)] == [503] * 3
    assert early.message == "the interpreter is not ready yet; try again in a moment"
    assert instead.message == "the config is wrong"
    assert late.message == "the interpretation of this room ends"


@in_jumping_time
async def test_an_error_of_ours_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets a sentence, the log the kind of error, and neither what it says."""
    caplog.set_level(logging.INFO)
    methods = RpcMethods()
    async with methods.serving({"greet": greet}):
        error = await refused(methods, "break")
        assert json.loads(await methods.answer("greet", invocation()))["to"] == "alice"

    assert error.code == 500
    assert "alice" not in error.message
    assert "alice" not in caplog.text
    [record] = caplog.records
    assert (record.__dict__["method"], record.__dict__["error"]) == ("greet", "ValueError")


@in_jumping_time
async def test_what_was_begun_is_done_though_nobody_waits() -> None:
    """The SDK stops waiting with the caller; a change half made would be worse."""
    began, may_end, done = asyncio.Event(), asyncio.Event(), list[str]()

    async def change(call: Call) -> Mapping[str, Any]:
        began.set()
        await may_end.wait()
        done.append(call.caller)
        return {}

    methods = RpcMethods()
    async with methods.serving({"greet": change}), asyncio.TaskGroup() as group:
        calling = group.create_task(methods.answer("greet", invocation()))
        await began.wait()
        calling.cancel()
        may_end.set()
        await eventually(lambda: done)

    assert calling.cancelled()


@in_jumping_time
async def test_the_end_waits_for_no_call() -> None:
    """Who is still waited on is told so."""

    async def hang(_call: Call) -> Mapping[str, Any]:
        await asyncio.Event().wait()
        return {}

    methods, told = RpcMethods(), list[rtc.RpcError]()

    async def call() -> None:
        told.append(await refused(methods))

    async with asyncio.TaskGroup() as group, methods.serving({"greet": hang}):
        group.create_task(call())
        await passing(1)

    assert [(it.code, it.message) for it in told] == [(503, "the interpretation of this room ends")]


@in_jumping_time
async def test_only_so_many_calls_are_worked_on_at_a_time() -> None:
    """Whoever floods us gets a sentence, and those who came first their answers."""
    may_end = asyncio.Event()

    async def wait(_call: Call) -> Mapping[str, Any]:
        await may_end.wait()
        return {}

    methods = RpcMethods()
    async with methods.serving({"greet": wait}), asyncio.TaskGroup() as group:
        calls = [group.create_task(methods.answer("greet", invocation())) for _ in range(20)]
        await passing(1)
        error = await refused(methods)
        may_end.set()

    assert error.code == 429
    assert [it.result() for it in calls] == ["{}"] * 20


def test_a_long_sentence_is_cut_between_characters() -> None:
    """SDKs cut at 256 bytes, in the middle of a character if need be."""
    assert short("x" * 256) == "x" * 256
    assert short("x" * 257) == "x" * 253 + "…"
    assert short("ä" * 200) == "ä" * 126 + "…"
    assert short("half \ud800") == "half ?"


def test_a_refusal_is_one_line() -> None:
    """What the caller wrote, and is told, rules no terminal on which it is printed."""
    assert short("unknown: \x1b[2Jbob\nok") == "unknown: bob ok"


def test_an_answer_shows_all_that_is_in_it() -> None:
    """An identity is told exactly, and yet turns no line around where the JSON is printed."""
    answer = fitting({"speaker": "bob\u202e\x7f\u2028\U000e0041 é 👩"})

    assert answer.isprintable()
    assert json.loads(answer) == {"speaker": "bob\u202e\x7f\u2028\U000e0041 é 👩"}


def test_an_answer_that_is_too_large_loses_the_ends_of_its_lists() -> None:
    """It is whole JSON all the same, and tells how much is missing."""
    problems = [{"path": f"speakers[{it}]", "reason": "ü" * 100} for it in range(200)]
    whole = fitting({"problems": problems[:20], "speaker": "alice"})
    cut = fitting({"problems": problems, "speaker": "alice", "passed": [1, 2]})
    told = json.loads(cut)

    assert "left_out" not in json.loads(whole)
    assert len(cut.encode()) <= LARGEST_ANSWER
    assert told["problems"] == problems[: len(told["problems"])]
    assert len(told["problems"]) + told["left_out"] == 200
    assert told["speaker"] == "alice"
    assert told["passed"] == [1, 2]


def test_a_huge_answer_without_lists_is_left_as_it_is() -> None:
    """The SDK says by itself that it does not go through."""
    assert len(fitting({"a": "x" * 20_000, "b": ["y" * 20_000]})) > LARGEST_ANSWER
    assert fitting({"half": "\ud800"}) == '{"half": "?"}'
