"""The production worker: registers with LiveKit, and leaves as its operator asks it to."""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import os
import signal
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from functools import partial
from typing import Final

from livekit.agents import AgentServer, JobRequest
from livekit.protocol import agent, models

from palabra_agent.concurrency import single_failure
from palabra_agent.config.settings import WorkerSettings
from palabra_agent.errors import SetupError
from palabra_agent.meeting.attributes import ARRIVAL_ATTRIBUTES
from palabra_agent.network import proxy_for, reason_of
from palabra_agent.worker.job import end_interpretation, interpret_job, prepare_process
from palabra_agent.worker.joining import registered_identity
from palabra_agent.worker.livekit_api import ServerUnreachable, check_livekit, interpreter_comes
from palabra_agent.worker.log import limited_log
from palabra_agent.worker.proxies import proxy_notes

AGENT_DISPLAY_NAME: Final = "Interpreter"

_RETRY_SECONDS: Final = (1, 2, 5, 10)
_FOR_EVER: Final = 2**31
_SESSION_END_SECONDS: Final = 3.0
_COMEBACK_SECONDS: Final = 3.0
"""People and agents are back within this after a server's quick restart, or start anew."""
_IDLE_PROCESSES: Final = 2
_INITIALIZE_SECONDS: Final = 30.0
"""A process that takes longer is killed, and the next one in its place; plugins may take 8 s of it
to load, on a machine that is busy."""
_PORT_REFUSED: Final = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES})
_AGENT_NAME_VARIABLES: Final = ("LIVEKIT_AGENT_NAME", "LIVEKIT_AGENT_NAME_OVERRIDE")
"""Read by LiveKit Agents: one stands in for an empty name, which means every new room here; the
other wins over every name, and no dispatch would find the worker."""

logger = logging.getLogger(__name__)


async def run_worker(settings: WorkerSettings) -> None:
    """Serve rooms until told to stop.

    The first SIGTERM or SIGINT drains: no new rooms, the running ones go on until they end or the
    settings' time is over. A second one, or a time of 0, ends them now.

    Raises:
        MeetingError: LiveKit refused the credentials.
        SetupError: The address of the health server cannot be had, or something else that the
            system provides or says of proxies.
    """
    for note in proxy_notes(settings):
        logger.info("%s", note)
    with _signals() as stop, single_failure():
        async with limited_log():
            if await _wait_for_livekit(settings, stop):
                await _serve_until_stopped(settings, stop)


async def _serve_until_stopped(
    settings: WorkerSettings, stop: asyncio.Queue[signal.Signals]
) -> None:
    server = build_server(settings)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(serve(server, settings), name="agent server")
        stopping = group.create_task(_stop_on_signal(server, settings, stop), name="stop")
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()


async def serve(server: AgentServer, settings: WorkerSettings) -> None:
    """Run the server of LiveKit Agents until it is closed.

    Raises:
        SetupError: The system refused something, such as the address of the health server.
    """
    try:
        await server.run()
    except OSError as error:
        reason = reason_of(error)
        if error.errno in _PORT_REFUSED:
            place = f"port {settings.port} of the health server"
            place += f" at {settings.host}" if settings.host else ""
            raise SetupError(f"{place}: {reason}; choose another") from None

        raise SetupError(f"the worker cannot go on: {reason}") from error


def build_server(settings: WorkerSettings) -> AgentServer:
    """Make the LiveKit Agents server with our entrypoint; needs no network."""
    # read by the forkserver, which otherwise loads voice models that no job of ours uses
    os.environ.setdefault("LIVEKIT_AGENTS_PRELOAD_LOCAL_INFERENCE", "0")
    for variable in _AGENT_NAME_VARIABLES:
        os.environ.pop(variable, None)
    server = AgentServer(
        ws_url=settings.livekit.url,
        api_key=settings.livekit.api_key,
        api_secret=settings.livekit.api_secret.get_secret_value(),
        host=settings.host,
        port=settings.port,
        load_threshold=settings.load_threshold,
        load_fnc=_no_load if settings.load_threshold > 1 else None,
        num_idle_processes=_IDLE_PROCESSES,
        session_end_timeout=_SESSION_END_SECONDS,
        drain_timeout=settings.drain_seconds,
        max_retry=_FOR_EVER,
        http_proxy=proxy_for(settings.livekit.url),
        initialize_process_timeout=_INITIALIZE_SECONDS,
        preload_modules=["palabra_agent.worker.forkserver", "palabra_agent.worker.job"],
        setup_fnc=partial(prepare_process, settings),
    )
    server.rtc_session(
        interpret_job,
        agent_name=settings.agent_name,
        on_request=partial(accept_job, settings, server),
        on_session_end=end_interpretation,
    )
    return server


def _no_load() -> float:
    """The load of a worker without a limit: LiveKit's server passes over one at 0.7 by itself."""
    return 0.0


async def accept_job(settings: WorkerSettings, server: AgentServer, request: JobRequest) -> None:
    """Take every job; that one interpreter stays in a room is seen to when it joins.

    A server that was started again makes its rooms anew, and may call an interpreter into one whose
    own is only on its way back: then that one stays.
    """
    jobs = [running.job for running in server.active_jobs]
    if is_made_anew(request.room, jobs) and await interpreter_comes(
        settings.livekit, request.room.name, seconds=_COMEBACK_SECONDS
    ):
        logger.info("the room has its interpreter back")
        await request.reject()
        return

    await request.accept(
        name=AGENT_DISPLAY_NAME,
        identity=registered_identity(settings, request.id),
        attributes=dict(ARRIVAL_ATTRIBUTES),
    )


def is_made_anew(room: models.Room, jobs: Iterable[agent.Job]) -> bool:
    """Tell whether one of our jobs is in a room of that name which the server has made anew."""
    return any(job.room.name == room.name and job.room.sid != room.sid for job in jobs)


async def _wait_for_livekit(settings: WorkerSettings, stop: asyncio.Queue[signal.Signals]) -> bool:
    """Ask LiveKit until it answers; False when told to stop meanwhile, even in mid-question.

    Raises:
        MeetingError: It answered, and refused the credentials.
    """
    async with asyncio.TaskGroup() as group:
        asking = group.create_task(_ask_until_let_in(settings), name="ask LiveKit")
        stopping = group.create_task(stop.get(), name="stop")
        await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        stopping.cancel()

    return stopping.cancelled()


async def _ask_until_let_in(settings: WorkerSettings) -> None:
    for tries in itertools.count():
        try:
            await check_livekit(settings.livekit)
        except ServerUnreachable as error:
            pause = _RETRY_SECONDS[min(tries, len(_RETRY_SECONDS) - 1)]
            logger.warning("%s; trying again in %d s", error, pause)
            await asyncio.sleep(pause)
        else:
            return


@contextmanager
def _signals() -> Generator[asyncio.Queue[signal.Signals]]:
    """Collect SIGTERM and SIGINT in a queue for the length of a block."""
    loop = asyncio.get_running_loop()
    received: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, received.put_nowait, number)

    try:
        yield received
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _stop_on_signal(
    server: AgentServer, settings: WorkerSettings, stop: asyncio.Queue[signal.Signals]
) -> None:
    await stop.get()
    if settings.drain_seconds > 0:
        async with asyncio.TaskGroup() as group:
            draining = group.create_task(_drain(server, settings.drain_seconds), name="drain")
            second = group.create_task(stop.get(), name="second signal")
            await asyncio.wait({draining, second}, return_when=asyncio.FIRST_COMPLETED)
            draining.cancel()
            second.cancel()

    await server.aclose()


async def _drain(server: AgentServer, seconds: int) -> None:
    try:
        await server.drain(timeout=seconds)
    except TimeoutError:
        logger.warning("rooms were still running when the time to drain was over")
