"""The demo: everything at once on one machine, with nothing to configure.

This module alone knows the order of a demo: a livekit-server is made sure of, the stage is set, the
interpreter is asked into the room, people come and speak, and everything ends as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livekit import api

from palabra_agent.concurrency import single_failure
from palabra_agent.errors import MeetingError, SetupError
from palabra_agent.local.board import Board
from palabra_agent.local.demo_talk import observe, talk
from palabra_agent.local.demo_view import LiveView, PlainView, View
from palabra_agent.local.isolation import exec_isolated, isolation_was_asked
from palabra_agent.local.livekit_build import ensure_livekit_server, print_progress
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.meeting import CAST, LANGUAGES, SCRIPT
from palabra_agent.local.people import Person, join
from palabra_agent.local.stage import AGENT_NAME, Stage, open_stage

ROOM: Final = "palabra-demo"
_ARRIVAL_SECONDS: Final = 15.0
_CHECK_SECONDS: Final = 45.0
"""How long the people of `--check` wait to have heard and read each other."""
_INTERRUPTED: Final = 130
_NOBODY_WATCHES: Final = (errno.EPIPE, errno.EIO)
"""The terminal was closed, or whatever read our lines has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What `palabra-agent demo` was asked."""

    check: bool = False
    """End when every listener has heard and read a translation; say whether they have."""
    isolated: bool = False
    """Run in a network namespace of its own."""
    once: bool = False
    """Hold the meeting once instead of until Ctrl-C."""


def run_demo(options: DemoOptions) -> int:
    """Hold the demo; returns the exit code.

    Raises:
        SetupError: Something that it needs is missing, or did not come up.
        MeetingError: The interpreter did not come.
    """
    ensure_livekit_server(print_progress("building livekit-server (once, about 2 minutes)"))
    if options.isolated and not isolation_was_asked():
        words = [name for name in ("check", "once") if getattr(options, name)]
        flags = [f"--{word}" for word in words]
        exec_isolated([sys.executable, "-m", "palabra_agent", "demo", *flags])

    logs = Path(tempfile.mkdtemp(prefix="palabra-agent-demo-"))
    logging.basicConfig(filename=logs / "demo.log", level=logging.INFO)
    try:
        code = asyncio.run(_hold(options, logs))
    except (SetupError, MeetingError) as error:
        error.args = (f"{error}\nlogs: {logs}",)
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = _INTERRUPTED if options.check else 0
    except OSError as error:
        if error.errno not in _NOBODY_WATCHES:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to complain
        code = _INTERRUPTED

    if code in (0, _INTERRUPTED):
        shutil.rmtree(logs, ignore_errors=True)
    else:
        sys.stdout.write(f"logs: {logs}\n")
    return code


async def _hold(options: DemoOptions, logs: Path) -> int:
    _end_with_the_terminal()
    board = Board()
    is_live = sys.stdout.isatty() and not options.check
    view: View = LiveView(board) if is_live else PlainView()

    try:
        async with open_stage(
            logs,
            voice="marker" if options.check else "espeak",
            script=SCRIPT,
            announce=view.announce,
        ) as stage:
            with single_failure():
                async with asyncio.TaskGroup() as group:
                    watching = group.create_task(stage.fail_when_one_ends(), name="watch processes")
                    code = await _meet(options, stage, board, view)
                    watching.cancel()
    finally:
        view.conclude(board)

    return code


async def _meet(options: DemoOptions, stage: Stage, board: Board, view: View) -> int:
    await _ask_for_interpreter(stage.livekit)

    async with AsyncExitStack() as stack:
        people = {
            member.identity: await stack.enter_async_context(
                join(
                    stage.livekit,
                    ROOM,
                    member.identity,
                    name=member.name,
                    attributes=member.attributes,
                    microphone=member.speaks is not None,
                )
            )
            for member in CAST
        }
        await _wait_for_interpreter(people[CAST[0].identity], stage)
        view.announce("interpreter in the room")

        with view.showing(), single_failure():
            async with asyncio.TaskGroup() as group:
                observing = group.create_task(observe(people, board, view), name="observe")
                try:
                    is_good = await _hold_meeting(options, people, board, view)
                finally:
                    observing.cancel()

    return 0 if is_good else 1


async def _hold_meeting(
    options: DemoOptions, people: Mapping[str, Person], board: Board, view: View
) -> bool:
    """Let the people talk; whether that proved what it was to prove."""
    if not options.check:
        while True:
            await talk(people, board, view, markers=False)
            if options.once:
                return True

    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(talk(people, board, view, markers=True), name="talk")
        with contextlib.suppress(TimeoutError):
            await people[CAST[0].identity].wait_for(lambda: board.is_proven, _CHECK_SECONDS)
        talking.cancel()

    view.report(board, time.monotonic() - started)
    return board.is_proven


async def _ask_for_interpreter(server: RunningLiveKit) -> None:
    config = json.dumps({"languages": LANGUAGES})
    request = api.CreateAgentDispatchRequest(agent_name=AGENT_NAME, room=ROOM, metadata=config)
    http_url = server.url.replace("ws", "http", 1)
    async with api.LiveKitAPI(http_url, server.api_key, server.api_secret) as livekit:
        await livekit.agent_dispatch.create_dispatch(request)


async def _wait_for_interpreter(person: Person, stage: Stage) -> None:
    try:
        await person.wait_for_interpreter(_ARRIVAL_SECONDS)
    except TimeoutError:
        shown = person.attributes_of()
        reason = shown.get("palabra.error") or shown.get("palabra.state") or "it never came"
        raise MeetingError(
            f"the interpreter was not ready within {_ARRIVAL_SECONDS:.0f} s: {reason}"
            + stage.worker.last_words()
        ) from None


def _end_with_the_terminal() -> None:
    """Let a closed terminal, or whoever stops this process, end the demo as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
