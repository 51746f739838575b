"""A task group's only failure comes out as itself."""

from __future__ import annotations

import asyncio

import pytest

from palabra_agent.errors import SetupError
from palabra_agent.failures import single_failure

pytestmark = pytest.mark.unit


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
