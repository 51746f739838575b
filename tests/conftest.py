"""The real livekit-server, the check that no test leaves a task, and how tests run side by side.

`make test` deals the tests out to four processes, each in a network namespace of its own, so that
no server meets another one on a port. Meetings wait most of the time, but their sound must not come
late meanwhile, as it does where two cores are full. So those that measure it are held in the first
process, one after the other. The second has the other meetings, the third begins with browsers and
goes on with what waits for servers, the fourth begins with what computes, and each gives way to
those before it by its priority.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from typing import Final, Literal, Protocol

import pytest
import pytest_asyncio
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]
from xdist.workermanage import WorkerController  # type: ignore[import-untyped]

from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.errors import SetupError
from palabra_agent.local.isolation import ISOLATION_VARIABLE, is_isolated, isolation_was_asked
from palabra_agent.local.livekit_build import ensure_livekit_server
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from tests.palabra.wire.rows import folder_line

_CATEGORIES: Final = ("unit", "livekit")
_WITH_SOUND: Final = tuple(
    f"tests/{it}"
    for it in (
        "faults/test_first_words",
        "faults/test_webrtc_faults",
        "faults/test_webrtc_pauses",
        "local/test_demo.py::test_the_check_passes",
        "integration/test_leakage",
        "integration/test_lingering",
        "integration/test_comings",
        "integration/test_speech",
        "integration/test_first_words",
        "integration/test_stops",
        "integration/test_encryption",
        "integration/test_microphones",
    )
)
"""Tests that listen in real time: sound that comes late fails them."""
_WITH_MEETINGS: Final = tuple(
    f"tests/{it}"
    for it in (
        "hostile/test_meeting",
        "integration/test_arrival",
        "integration/test_configuring",
        "integration/test_languages",
        "integration/test_readers",
        "integration/test_texts",
        "integration/test_typing",
        "integration/test_voices",
        "integration/test_wishes",
    )
)
"""Tests of meetings that wait for what they hear and read, however late it comes."""
_WITH_BROWSERS: Final = ("tests/integration/test_other_clients", "tests/integration/test_page_in")
"""Such tests that fill the processor as well: two browsers at a time would be too much."""
_WITH_SERVERS: Final = ("tests/integration/", "tests/conformance/", "tests/local/test_demo")
"""Modules that mostly wait for processes to start, and for what these do."""
_WITH_COSTLY_FIXTURES: Final = ("tests/typing/", "tests/plugins/voice_timbre/test_pitch.py")
"""Modules whose tests share something that takes long to make."""
_BY_MODULE: Final = (*_WITH_SERVERS, *_WITH_COSTLY_FIXTURES)
"""Modules whose tests stay together."""
_IN_REAL_TIME: Final = "tests/faults/"
"""Modules that a slow process disturbs, whatever their tests are marked as."""
_TURNS: Final = (_WITH_SOUND, _WITH_MEETINGS, _WITH_BROWSERS, _WITH_SERVERS)
"""The order of what comes before all other tests."""
_GROUPS: Final = {"sound": _WITH_SOUND, "meetings": _WITH_MEETINGS, "browsers": _WITH_BROWSERS}
"""One process holds the tests of each, as it takes up a group as a whole."""
_NICENESS: Final = (0, 7, 12, 17)
"""How much each process gives way, in their order."""
_LAST: Final = len(_NICENESS) - 1
"""The process that begins with the last tests; the others take theirs from the front."""
_LINGER_SECONDS: Final = 2.0
"""A task that ends by itself this soon after a test is no leak: connections close politely."""


def pytest_configure(config: pytest.Config) -> None:
    """Let what the tests start be stopped by Ctrl-C, also where a shell ignores it for its jobs.

    The people in the meetings cost a part of the processor that tests need; so they hear by the
    short path, as the product does. Of several processes each gives way to those before it; what it
    starts does, too, as it stays in its session: Linux shares the processor out by session first.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    prefer_short_path()
    if (number := _number_of_process(config)) is not None:
        os.nice(_NICENESS[min(number, _LAST)])


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


class _Dealer(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Deals tests out, those that belong together to one process.

    The marks of pytest-xdist's own `loadgroup` have no effect with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self.nodes.index(node) == _LAST:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Deal tests out by group, however the run was asked to deal them."""
    return _Dealer(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin a run side by side with the sound, then what waits; what may be slow comes last."""
    if _number_of_process(config) is not None:
        items.sort(key=_turn)


def _group_of(nodeid: str) -> str:
    """Name what a test shares a process with: the test itself, where it needs no other."""
    for group, tests in _GROUPS.items():
        if nodeid.startswith(tests):
            return group

    return nodeid.partition("::")[0] if nodeid.startswith(_BY_MODULE) else nodeid


def _turn(item: pytest.Item) -> int:
    for turn, tests in enumerate(_TURNS):
        if item.nodeid.startswith(tests):
            return turn

    is_in_real_time = item.nodeid.startswith(_IN_REAL_TIME) or item.get_closest_marker("livekit")
    return len(_TURNS) if is_in_real_time else len(_TURNS) + 1


def _number_of_process(config: pytest.Config) -> int | None:
    """That of this one, from 0, in a run side by side."""
    told: dict[str, str] | None = getattr(config, "workerinput", None)
    return None if told is None else int(told["workerid"].removeprefix("gw"))


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
