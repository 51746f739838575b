"""The demo: everything at once on one machine, with nothing to configure.

This module alone knows the order of a demo: a livekit-server is made sure of, the processes are
started, the interpreter is asked into the room, people come and speak, and all ends together.
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

from palabra_agent.audio.event_path import prefer_short_path
from palabra_agent.concurrency import single_failure
from palabra_agent.errors import MeetingError, SetupError
from palabra_agent.interpretation.ports import LONGEST_ERROR
from palabra_agent.local.demo_meeting import (
    LANGUAGES,
    MEMBERS,
    SCRIPT,
    MeetingProgress,
    Member,
    turns,
)
from palabra_agent.local.demo_view import LiveView, PlainView, View
from palabra_agent.local.isolation import exec_isolated, is_isolated, isolation_was_asked
from palabra_agent.local.listener_page import serve_listener_page
from palabra_agent.local.livekit_build import ensure_livekit_server, print_progress
from palabra_agent.local.livekit_server import RunningLiveKit
from palabra_agent.local.people import SimulatedPerson, join
from palabra_agent.local.reception import ReceivedCaption
from palabra_agent.local.recording import Recording
from palabra_agent.local.services import AGENT_NAME, LocalServices, run_services
from palabra_agent.texts import one_line
from palabra_emulator.interpreting.markers import language_marker_hz
from palabra_emulator.script import load_script

ROOM: Final = "palabra-demo"
_ARRIVAL_SECONDS: Final = 15.0
_CHECK_SECONDS: Final = 45.0
"""The time in which the people of `--check` must have heard and read each other."""
_INTERRUPTED: Final = 130
_OUTPUT_IS_CLOSED: Final = (errno.EPIPE, errno.EIO)
"""The terminal was closed, or the program that read our lines has ended."""

_OBSERVE_SECONDS: Final = 0.1
_HEAR_SECONDS: Final = 10.0
"""The time in which a translation begins to be heard, or is no longer waited for."""
_QUIET_SECONDS: Final = 0.5
_LONGEST_WAIT_SECONDS: Final = 15.0
_BREATH_SECONDS: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """The options of `palabra-agent demo`."""

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
    prefer_short_path()
    try:
        code = asyncio.run(_hold(options, logs))
    except (SetupError, MeetingError) as error:
        error.args = (f"{error}\nlogs: {logs}",)
        raise
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = _INTERRUPTED if options.check else 0
    except OSError as error:
        if error.errno not in _OUTPUT_IS_CLOSED:
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
    progress = MeetingProgress()
    is_live = sys.stdout.isatty() and not options.check
    view: View = LiveView(progress) if is_live else PlainView()

    try:
        async with run_services(
            logs,
            voice="marker" if options.check else "espeak",
            script=SCRIPT,
            announce=view.announce,
        ) as services:
            with single_failure():
                async with asyncio.TaskGroup() as group:
                    watching = group.create_task(
                        services.fail_when_one_ends(), name="watch processes"
                    )
                    code = await _meet(options, services, progress, view)
                    watching.cancel()
    finally:
        view.conclude(progress)

    return code


async def _meet(
    options: DemoOptions, services: LocalServices, progress: MeetingProgress, view: View
) -> int:
    await _ask_for_interpreter(services.livekit)

    async with AsyncExitStack() as stack:
        page = await stack.enter_async_context(serve_listener_page(services.livekit, ROOM))
        # a browser outside of a namespace does not reach it
        progress.page = "" if is_isolated() else page
        which = "a browser of this namespace" if is_isolated() else "a browser"
        view.announce(f"page to join it in {which}: {page}")
        people = {
            member.identity: await stack.enter_async_context(
                join(
                    services.livekit,
                    ROOM,
                    member.identity,
                    name=member.name,
                    attributes=member.attributes,
                    microphone=member.speaks is not None,
                )
            )
            for member in MEMBERS
        }
        await _wait_for_interpreter(people[MEMBERS[0].identity], services)
        view.announce("interpreter in the room")

        conversation = Conversation(people, progress, view, markers=options.check)
        with view.showing(), single_failure():
            async with asyncio.TaskGroup() as group:
                observing = group.create_task(conversation.observe(), name="observe")
                try:
                    is_good = await _hold_meeting(options, conversation)
                finally:
                    observing.cancel()

    return 0 if is_good else 1


async def _hold_meeting(options: DemoOptions, conversation: Conversation) -> bool:
    """Let the people talk; returns True unless a check was to prove something and did not."""
    if not options.check:
        while True:
            await conversation.hold()
            if options.once:
                return True

    progress, people = conversation.progress, conversation.people
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(conversation.hold(), name="talk")
        with contextlib.suppress(TimeoutError):
            await people[MEMBERS[0].identity].wait_for(lambda: progress.is_proven, _CHECK_SECONDS)
        talking.cancel()

    conversation.view.report(progress, time.monotonic() - started)
    return progress.is_proven


async def _ask_for_interpreter(server: RunningLiveKit) -> None:
    config = json.dumps({"languages": LANGUAGES})
    request = api.CreateAgentDispatchRequest(agent_name=AGENT_NAME, room=ROOM, metadata=config)
    http_url = server.url.replace("ws", "http", 1)
    async with api.LiveKitAPI(http_url, server.api_key, server.api_secret) as livekit:
        await livekit.agent_dispatch.create_dispatch(request)


async def _wait_for_interpreter(person: SimulatedPerson, services: LocalServices) -> None:
    try:
        await person.wait_for_interpreter(_ARRIVAL_SECONDS)
    except TimeoutError:
        shown = person.attributes_of()
        reason = shown.get("palabra.error") or shown.get("palabra.state") or "it never came"
        raise MeetingError(
            f"the interpreter was not ready within {_ARRIVAL_SECONDS:.0f} s: {one_line(reason)}"
            + services.worker.last_words()
        ) from None


def _end_with_the_terminal() -> None:
    """Let a closed terminal, or a signal to this process, end the demo as Ctrl-C does."""
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The demo's people at work: they speak their lines, and what the others get of it is noted."""

    people: Mapping[str, SimulatedPerson]
    progress: MeetingProgress
    view: View
    markers: bool
    """Translations are recognised by the very tone of their language."""

    async def hold(self) -> None:
        """Say the whole script once, politely: each turn waits for the interpreter."""
        script = load_script(SCRIPT)
        for turn in turns(len(script.lines(str(MEMBERS[0].speaks)))):
            async with asyncio.TaskGroup() as group:
                for line in turn:
                    text = script.text(line.number, str(line.speaker.speaks))
                    group.create_task(
                        self._say(line.speaker, text), name=f"say:{line.speaker.identity}"
                    )
            await self._wait_for_quiet()
            await asyncio.sleep(_BREATH_SECONDS)

    async def observe(self) -> None:
        """Keep the progress up to date until cancelled."""
        read_until = dict.fromkeys(self.people, 0.0)
        while True:
            for member in MEMBERS:
                person = self.people[member.identity]
                fresh = _captions_after(person, read_until[member.identity])
                if fresh:
                    read_until[member.identity] = fresh[-1].at
                for row, language in self.progress.read(fresh, member):
                    self.view.settled(row, language)

                channel = self.progress.channels[str(member.listens)]
                channel.is_sounding = not self._is_quiet(member, _OBSERVE_SECONDS * 2)

            self.progress.interpreter = _interpreter(self.people[MEMBERS[0].identity])
            self.view.update()
            await asyncio.sleep(_OBSERVE_SECONDS)

    async def _say(self, speaker: Member, text: str) -> None:
        speech = await speaker.voice.speak(text, str(speaker.speaks))
        self.view.spoke(speaker, text)
        self.progress.speaking.add(speaker.identity)
        try:
            utterance = await self.people[speaker.identity].say(speech)
        finally:
            self.progress.speaking.discard(speaker.identity)

        async with asyncio.TaskGroup() as group:
            for listener in MEMBERS:
                if listener.listens != speaker.speaks:
                    group.create_task(
                        self._hear(listener, speaker, utterance.ended),
                        name=f"hear:{listener.identity}",
                    )

    async def _hear(self, listener: Member, speaker: Member, ended: float) -> None:
        """Wait for the first sound of the translation of what ended at this time."""
        recording = self._channel_of(listener)
        if recording.first_sound(ended - _QUIET_SECONDS) is not None:
            return  # another speaker's translation hides when this one begins

        def first() -> float | None:
            if self.markers:
                return recording.first_tone(language_marker_hz(str(listener.listens)), ended)
            return recording.first_sound(ended)

        try:
            at = await self.people[listener.identity].wait_for(first, _HEAR_SECONDS)
        except TimeoutError:
            return

        self.progress.heard(speaker, listener, at - ended)
        self.view.heard(speaker, listener, at - ended)

    async def _wait_for_quiet(self) -> None:
        """Wait until no listener hears a translation any more, but not for ever."""
        until = time.monotonic() + _LONGEST_WAIT_SECONDS
        while time.monotonic() < until:
            if all(self._is_quiet(member, _QUIET_SECONDS) for member in MEMBERS):
                return
            await asyncio.sleep(_OBSERVE_SECONDS)

    def _is_quiet(self, member: Member, seconds: float) -> bool:
        return self._channel_of(member).first_sound(time.monotonic() - seconds) is None

    def _channel_of(self, listener: Member) -> Recording:
        """The sound that a listener has heard of their language's channel."""
        return self.people[listener.identity].recording(f"translation_{listener.listens}")


def _captions_after(person: SimulatedPerson, at: float) -> list[ReceivedCaption]:
    fresh: list[ReceivedCaption] = []
    for caption in reversed(person.captions):
        if caption.at <= at:
            break
        fresh.append(caption)

    return fresh[::-1]


def _interpreter(person: SimulatedPerson) -> str:
    attributes = person.attributes_of()
    state, error = attributes.get("palabra.state", ""), attributes.get("palabra.error", "")
    return one_line(f"{state}: {error}" if error else state, LONGEST_ERROR)
