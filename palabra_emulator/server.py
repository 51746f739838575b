"""The emulator as a whole: every part put together, served on one port, and ended tidily."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp
from aiohttp import web

from palabra_agent.concurrency import single_failure
from palabra_agent.errors import SetupError
from palabra_emulator.api.emulator_api import EmulatorApi
from palabra_emulator.api.livekit_proxy import LiveKitProxy
from palabra_emulator.api.session_storage import SessionStorage
from palabra_emulator.faults.immediate_faults import ImmediateFaults
from palabra_emulator.faults.injection import FaultInjector
from palabra_emulator.faults.rest_faults import RestFaults
from palabra_emulator.faults.signalling import SignallingFaults
from palabra_emulator.interpreting.recording import prepare_recordings
from palabra_emulator.interpreting.speech import SpeechVoice
from palabra_emulator.interpreting.voices import EspeakVoice, MarkerVoice
from palabra_emulator.journal import Journal
from palabra_emulator.options import EmulatorOptions
from palabra_emulator.script import Script, load_script
from palabra_emulator.session.registry import SessionRegistry
from palabra_emulator.session.running import SessionRunner
from palabra_emulator.transports.livekit import open_bot, open_rooms
from palabra_emulator.transports.ports import ClientTransport, OpenTransport, RoomNames, Rooms
from palabra_emulator.transports.websocket import SpeechStream

logger = logging.getLogger(__name__)

_SHUTDOWN_SECONDS: Final = 1.0
_ANY_HOST: Final = frozenset({"", "0.0.0.0", "::"})


@dataclass(frozen=True, slots=True)
class RunningEmulator:
    """An emulator that answers."""

    url: str
    """Base URL, for `PALABRA_API_URL`."""
    journal: Journal


@asynccontextmanager
async def run_emulator(options: EmulatorOptions) -> AsyncGenerator[RunningEmulator]:
    """Run an emulator; leaving ends all its sessions, their rooms included.

    The LiveKit server need not be there yet: without it, sessions are refused.

    Raises:
        ScriptError: The script cannot be used.
        SetupError: The port is not free, or the folder for recordings cannot be made.
    """
    async with open_rooms(options) as rooms:
        open_transport = partial(_open_bot, options.livekit_url, rooms)
        async with run_emulator_in(options, rooms, open_transport) as emulator:
            yield emulator


@asynccontextmanager
async def run_emulator_in(
    options: EmulatorOptions, rooms: Rooms, open_transport: OpenTransport
) -> AsyncGenerator[RunningEmulator]:
    """Run an emulator whose rooms and transports are given."""
    script = options.script if isinstance(options.script, Script) else load_script(options.script)
    prepare_recordings(options)
    allow_many_sockets()
    journal = Journal()
    runner = SessionRunner(
        rooms,
        open_transport,
        _voice(options),
        keep_sids=options.keep_sids,
        bot_delay_seconds=options.bot_delay_ms / 1000,
    )
    injector = FaultInjector(journal)
    registry = SessionRegistry(options, script, journal, runner, injector)
    signalling = SignallingFaults(injector, registry.faults_of)
    immediate = ImmediateFaults(injector, registry.remembered, rooms, signalling)
    for fault in options.scenario:
        injector.arm(fault)
    async with aiohttp.ClientSession() as http, _run_sessions(registry, immediate):
        app = web.Application()
        SessionStorage(options, registry, rooms, journal).add_to(app)
        RestFaults(injector, registry.find, options.cred_error_status).add_to(app)
        LiveKitProxy(options.livekit_url, registry.is_open, http, signalling).add_to(app)
        EmulatorApi(registry, journal, injector).add_to(app)
        SpeechStream(options, registry, journal, signalling).add_to(app)
        async with _serve(app, options) as url:
            logger.info("emulator ready", extra={"url": url})
            try:
                yield RunningEmulator(url, journal)
            finally:
                await registry.close()


@asynccontextmanager
async def _run_sessions(
    registry: SessionRegistry, immediate: ImmediateFaults
) -> AsyncGenerator[None]:
    """Run sessions and faults beside a block; what the block raises stays what it is."""
    with single_failure():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(registry.run())
            faults = tasks.create_task(immediate.run())
            try:
                yield
            finally:
                faults.cancel()
                await registry.close()


def _open_bot(
    livekit_url: str, rooms: Rooms, names: RoomNames
) -> AbstractAsyncContextManager[ClientTransport]:
    return open_bot(names, rooms, livekit_url)


def _voice(options: EmulatorOptions) -> SpeechVoice:
    marker = MarkerVoice(options.voices)
    return EspeakVoice(marker, options.voices) if options.voice == "espeak" else marker


@asynccontextmanager
async def _serve(app: web.Application, options: EmulatorOptions) -> AsyncGenerator[str]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, options.host, options.port).start()
        except (OSError, UnicodeError) as error:
            where = f"{options.host}:{options.port}"
            why = error.strerror if isinstance(error, OSError) else "no host has such a name"
            raise SetupError(f"the emulator cannot listen on {where}: {why}") from None
        yield f"http://{_reachable(options.host)}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _reachable(host: str) -> str:
    """A host under which a local client finds what listens on this one."""
    if host in _ANY_HOST:
        return "127.0.0.1"

    return f"[{host}]" if ":" in host else host


def allow_many_sockets() -> None:
    """Raise the process's limit on open files as far as it may be raised; never lower it."""
    if sys.platform == "win32":
        return

    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError) as error:
        logger.debug("the limit on open files stays %s: %s", soft, error)
