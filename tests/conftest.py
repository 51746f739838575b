"""The real livekit-server, the check that no test leaves a task, and how tests run side by side.

`make test` deals the tests out to two processes, each in a network namespace of its own, so that no
server meets another one on a port. Meetings wait most of the time, but their sound must not come
late meanwhile, as it does where two cores are full. So all meetings with sound are held in the
first process, one after the other; the second begins with what waits for servers, goes on with what
computes, and gives way to the first by its priority.
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

from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.errors import SetupError
from palabra_agent.local.isolation import ISOLATION_VARIABLE, is_isolated, isolation_was_asked
from palabra_agent.local.livekit_build import ensure_livekit_server
from palabra_agent.local.livekit_server import RunningLiveKit, run_livekit_server
from tests.palabra.wire.rows import folder_line

_CATEGORIES: Final = ("unit", "livekit")
_WITH_SOUND: Final = tuple(
    f"tests/{it}.py"
    for it in (
        "faults/test_first_words",
        "faults/test_webrtc_faults",
        "faults/test_webrtc_pauses",
        "hostile/test_meeting",
        "local/test_demo",
        "integration/test_leakage",
        "integration/test_lingering",
        "integration/test_simultaneous",
        "integration/test_comings",
        "integration/test_speech",
        "integration/test_first_words",
        "integration/test_arrival",
        "integration/test_wishes",
        "integration/test_stops",
        "integration/test_configuring",
        "integration/test_languages",
        "integration/test_texts",
        "integration/test_typing",
        "integration/test_encryption",
        "integration/test_microphones",
        "integration/test_readers",
        "integration/test_voices",
        "integration/test_other_clients",
        "integration/test_page_in_browser",
    )
)
"""Modules that listen in real time, or hold many participants: a second one beside them comes
late."""
_WITH_BROWSERS: Final = ("tests/integration/test_other_clients", "tests/integration/test_page_in")
"""Those of them that fill the processor: they come last, beside what may be slow."""
_WITH_SERVERS: Final = ("tests/integration/", "tests/conformance/")
"""Modules that mostly wait for processes to start, and for what these do."""
_WITH_COSTLY_FIXTURES: Final = ("tests/typing/", "tests/plugins/voice_timbre/test_pitch.py")
"""Modules whose tests share something that takes long to make."""
_BY_MODULE: Final = (*_WITH_SERVERS, *_WITH_COSTLY_FIXTURES)
"""Modules whose tests stay together."""
_IN_REAL_TIME: Final = (*_WITH_SOUND, *_WITH_SERVERS, "tests/faults/")
"""Modules that a slow process disturbs, whatever their tests are marked as."""
_SOUND: Final = "sound"
"""The group of all tests with sound: one process holds them, as it takes up a group as a whole."""
_LOWER_PRIORITY: Final = 5
_LINGER_SECONDS: Final = 2.0
"""A task that ends by itself this soon after a test is no leak: connections close politely."""


def pytest_configure() -> None:
    """Let what the tests start be stopped by Ctrl-C, also where a shell ignores it for its jobs.

    The people in the meetings cost a part of the processor that tests need; so they hear by the
    short path, as the product does.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    prefer_short_path()


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Deal tests out by group, however the run was asked to deal them."""
    return _Dealer(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin a run side by side with the sound, then what waits, then what must not be slow."""
    if _is_beside_others(config):
        items.sort(key=_turn)


def _group_of(nodeid: str) -> str:
    """Name what a test shares a process with: the test itself, where it needs no other."""
    if nodeid.startswith(_WITH_SOUND):
        return _SOUND

    return nodeid.partition("::")[0] if nodeid.startswith(_BY_MODULE) else nodeid


def _turn(item: pytest.Item) -> int:
    if item.nodeid.startswith(_WITH_SOUND):
        return 1 if item.nodeid.startswith(_WITH_BROWSERS) else 0

    if item.nodeid.startswith(_WITH_SERVERS):
        return 2

    return 3 if _is_in_real_time(item) else 4


def _is_in_real_time(item: pytest.Item) -> bool:
    return item.nodeid.startswith(_IN_REAL_TIME) or bool(item.get_closest_marker("livekit"))


def _is_beside_others(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


_has_begun = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    """Let a process give way for good that does not begin with the sound: no other has any.

    What it starts stays in its session: Linux shares the processor out by session first.
    """
    stash = item.config.stash
    if _has_begun not in stash and _is_beside_others(item.config):
        stash[_has_begun] = True
        if _group_of(item.nodeid) != _SOUND:
            os.nice(_LOWER_PRIORITY)


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
