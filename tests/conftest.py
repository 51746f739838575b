"""The real livekit-server, the check that no test leaves a task, and how tests run side by side.

`make test` deals the tests out to two processes, each in a network namespace of its own, so that
no server meets another one on a port. A meeting with sound takes most of a core: all tests that
hold one are a group (`xdist_group`), in one process, and begin first. The other process has those
that wait for servers, then the rest. Tests that share a costly fixture of their module stay
together, too.
"""

from __future__ import annotations

import asyncio
import shlex
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Literal, Protocol

import pytest
import pytest_asyncio

from palabra_agent.errors import SetupError
from palabra_agent.local.isolation import ISOLATION_VARIABLE, is_isolated, isolation_was_asked
from palabra_agent.local.livekit_build import ensure_livekit_server
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from tests.palabra.wire.rows import folder_line

_CATEGORIES: Final = ("unit", "livekit")
_WITH_SOUND: Final = (
    "tests/faults/",
    *(
        f"tests/integration/test_{it}.py"
        for it in (
            "lingering",
            "comings",
            "texts",
            "voices",
            "languages",
            "speech",
            "configuring",
            "arrival",
            "first_words",
            "microphones",
            "encryption",
            "readers",
            "simultaneous",
        )
    ),
)
"""Modules whose tests against LiveKit listen in real time, or hold many participants: a second one
beside them comes late."""
_WAITING: Final = ("tests/integration/", "tests/conformance/", "tests/faults/")
_LINGER_SECONDS: Final = 2.0
"""A task that ends by itself this soon after a test is no leak: connections close politely."""


def pytest_configure() -> None:
    """Let what the tests start be stopped by Ctrl-C, also where a shell ignores it for its jobs."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say whether the recorded wire data is part of this run."""
    return folder_line()


class _ProcessSpec(Protocol):
    """What pytest-xdist starts."""

    python: str


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: Sequence[_ProcessSpec]) -> None:
    """Give each process of a run side by side a network namespace of its own."""
    if not is_isolated():
        return

    isolated = (sys.executable, "-m", "palabra_agent.local.isolation", sys.executable)
    for spec in specs:
        spec.python = shlex.join(("env", f"--unset={ISOLATION_VARIABLE}", *isolated))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin a run side by side with the sound, in one group, and with what waits."""
    if not hasattr(config, "workerinput"):
        return

    def turn(item: pytest.Item) -> int:
        if item.nodeid.startswith(_WITH_SOUND) and item.get_closest_marker("livekit"):
            return 0
        return 1 if item.nodeid.startswith(_WAITING) else 2

    items.sort(key=turn)
    for item in items:
        if turn(item) == 0:
            item.add_marker(pytest.mark.xdist_group("sound"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a test without a category, and one against LiveKit on a network that others share."""
    if not any(item.get_closest_marker(name) for name in _CATEGORIES):
        pytest.fail("this module says no category: pytestmark = pytest.mark.unit (or livekit)")

    if item.get_closest_marker("livekit") and not isolation_was_asked():
        pytest.fail(
            "tests against LiveKit need a network namespace of their own: use `make test`, or"
            " .venv/bin/python -m palabra_agent.local.isolation .venv/bin/pytest …",
            pytrace=False,
        )


@pytest.fixture(scope="session")
def livekit_server_binary() -> str:
    """Build or find livekit-server; tests fail, and are never skipped, where that is impossible."""
    try:
        return str(ensure_livekit_server(lambda words: None))
    except SetupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def livekit_server(livekit_server_binary: str) -> AsyncGenerator[RunningLiveKit]:
    """Run one real livekit-server for the whole run: `url`, `api_key`, `api_secret`."""
    assert livekit_server_binary
    async with run_livekit_server() as server:
        yield server


@pytest.fixture(autouse=True)
def fail_on_leaked_tasks(request: pytest.FixtureRequest) -> None:
    """Fail an async test that leaves a task running, naming the task."""
    marker = request.node.get_closest_marker("asyncio")
    if marker is not None:
        scope = marker.kwargs.get("loop_scope") or "function"
        request.getfixturevalue(f"_leak_check_in_{scope}_loop")


def _leak_check(scope: Literal["function", "module", "session"]) -> object:
    @pytest_asyncio.fixture(loop_scope=scope, name=f"_leak_check_in_{scope}_loop")
    async def check() -> AsyncGenerator[None]:
        before = asyncio.all_tasks()
        yield

        mine = asyncio.current_task()
        left = {task for task in asyncio.all_tasks() - before if task is not mine}
        if left:
            _, left = await asyncio.wait(left, timeout=_LINGER_SECONDS)

        assert not left, f"tasks left running: {sorted(task.get_name() for task in left)}"

    return check


_in_function_loop, _in_module_loop, _in_session_loop = (
    _leak_check("function"),
    _leak_check("module"),
    _leak_check("session"),
)
